"""Looks after every link, anchor and file of the built pages: docs/site/links.py FOLDER. Ends with "N passed, N failed"."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.anchors, self.twice = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                if value in self.anchors:
                    self.twice.append(value)
                self.anchors.add(value)
            elif name in ("href", "src") and value is not None:
                self.links.append(value)


def main(folder):
    pages = {path: Page(path.read_text()) for path in sorted(folder.rglob("*.html"))}
    passed, faults = 0, []
    for path, page in pages.items():
        faults += [f"{path.relative_to(folder)}: the anchor {anchor} is there twice" for anchor in page.twice]
        for link in page.links:
            if re.match(r"^(https?:|mailto:|data:)", link):
                passed += 1
                continue
            address, anchor = urldefrag(link)
            target = (path.parent / unquote(address)).resolve() if address else path
            if not target.is_file():
                faults.append(f"{path.relative_to(folder)}: {link} leads nowhere")
            elif anchor and target in pages and unquote(anchor) not in pages[target].anchors:
                faults.append(f"{path.relative_to(folder)}: {link}: there is no such place on that page")
            else:
                passed += 1
    print("\n".join(faults))
    print(f"{passed} passed, {len(faults)} failed")
    return 1 if faults or not passed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
