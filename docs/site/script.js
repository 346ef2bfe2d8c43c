// Search, and one language for all tabs of all pages. The pages work without it.
const up = document.body.dataset.up;
const input = document.getElementById('search');
const found = document.getElementById('found');
let index;

async function search() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  found.hidden = words.length === 0;
  if (words.length === 0) return;
  index ??= await (await fetch(`${up}search.json`)).json();
  const hits = [];
  for (const entry of index) {
    const title = entry.title.toLowerCase();
    const text = `${title} ${entry.text.toLowerCase()}`;
    if (!words.every((word) => text.includes(word))) continue;
    hits.push([words.reduce((sum, word) => sum + (title === word ? 8 : title.startsWith(word) ? 4 : title.includes(word) ? 2 : 0), 0), entry]);
  }
  hits.sort((a, b) => b[0] - a[0] || a[1].title.localeCompare(b[1].title));
  found.replaceChildren(
    ...hits.slice(0, 20).map(([, entry]) => {
      const item = document.createElement('li');
      const link = document.createElement('a');
      const text = document.createElement('small');
      link.href = up + entry.path;
      link.textContent = entry.title;
      text.textContent = entry.text;
      link.append(text);
      item.append(link);
      return item;
    }),
  );
  if (hits.length === 0) found.textContent = 'Nothing found';
}

input.addEventListener('input', () => void search());
input.form.addEventListener('submit', (event) => {
  event.preventDefault();
  found.querySelector('a')?.click();
});
document.addEventListener('keydown', (event) => {
  if (event.key === '/' && document.activeElement !== input) {
    event.preventDefault();
    input.focus();
  } else if (event.key === 'Escape') {
    found.hidden = true;
  } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    const links = [...found.querySelectorAll('a')];
    if (found.hidden || links.length === 0) return;
    const at = links.indexOf(document.activeElement) + (event.key === 'ArrowDown' ? 1 : -1);
    event.preventDefault();
    (links[at] ?? input).focus();
  }
});

function choose(language) {
  for (const tabs of document.querySelectorAll('.tabs')) {
    const radio = tabs.querySelector(`:scope > input[data-language="${language}"]`);
    if (radio) radio.checked = true;
  }
}
try {
  const kept = localStorage.getItem('brant-language');
  if (kept) choose(kept);
} catch {
  // opened as files, some browsers keep nothing
}
document.addEventListener('change', (event) => {
  const language = event.target.dataset?.language;
  if (!language) return;
  choose(language);
  try {
    localStorage.setItem('brant-language', language);
  } catch {
    // as above
  }
});
