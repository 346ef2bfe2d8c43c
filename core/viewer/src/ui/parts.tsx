/* Small parts that all pages are made of. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Failure, messageOf } from '../api';
import { ago, line, moment, written } from '../format';

/** What just happened, for those who do not see it. */
let announcer: ((text: string) => void) | undefined;
export function announce(text: string): void {
  announcer?.(text);
}

export function Announcer(): JSX.Element {
  const [text, set] = useState('');
  useEffect(() => {
    announcer = set;
    return () => void (announcer = undefined);
  }, []);
  return (
    <div class="unseen" role="status" aria-live="polite">
      {text}
    </div>
  );
}

export function Page({ title, note, actions, children }: { title: string; note?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren }): JSX.Element {
  useEffect(() => {
    document.title = `${line(title, 60)} · brant`;
  }, [title]);
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1>
            <bdi>{line(title, 200)}</bdi>
          </h1>
          {note !== undefined && <p class="note">{note}</p>}
        </div>
        {actions !== undefined && <div class="actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export function Section({ title, note, children, actions }: { title: string; note?: ComponentChildren; children: ComponentChildren; actions?: ComponentChildren }): JSX.Element {
  const id = useId();
  return (
    <section class="section" aria-labelledby={id}>
      <div class="section-head">
        <h2 id={id}>{title}</h2>
        {note !== undefined && <span class="note">{note}</span>}
        {actions !== undefined && <div class="actions">{actions}</div>}
      </div>
      {children}
    </section>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children !== undefined && <div class="note">{children}</div>}
    </div>
  );
}

/** What went wrong and what one can do. */
export function Fault({ error, retry }: { error: Error; retry?: () => void }): JSX.Element {
  const hint =
    error instanceof Failure
      ? ({
          OFFLINE: 'Is the program that serves this page still running? The page comes back by itself when it is.',
          DENIED: 'This page may not do that. It may have been opened without write access.',
          BUSY: 'Another program is writing. Try again.',
          TIMEOUT: 'It took too long. Try again, or ask for less.',
          NOT_FOUND: 'It may have been deleted meanwhile.',
        }[error.name] ?? undefined)
      : undefined;
  return (
    <div class="fault" role="alert">
      <p>
        <strong>{error instanceof Failure ? error.name : 'Error'}</strong> <bdi>{line(messageOf(error), 400)}</bdi>
      </p>
      {hint !== undefined && <p class="note">{hint}</p>}
      {retry !== undefined && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Waiting(): JSX.Element {
  return (
    <div class="waiting" role="status">
      <span class="unseen">Loading</span>
    </div>
  );
}

/** Numbers with their names. */
export function Facts({ items }: { items: readonly (readonly [string, ComponentChildren, string?])[] }): JSX.Element {
  return (
    <dl class="facts">
      {items.map(([name, value, title]) => (
        <div key={name} title={title}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const GOOD = new Set(['completed', 'responded', 'done', 'active', 'live']);
const BAD = new Set(['error', 'dead', 'failed', 'lost', 'ended', 'deleted']);
const BUSY = new Set(['running', 'ready', 'requested']);
const WARN = new Set(['aborted', 'cancelled', 'expired', 'paused', 'draining', 'delayed', 'archived']);

export function tone(state: string): string {
  return GOOD.has(state) ? 'good' : BAD.has(state) ? 'bad' : BUSY.has(state) ? 'busy' : WARN.has(state) ? 'warn' : 'plain';
}

export function State({ value }: { value: string }): JSX.Element {
  return <span class={`state ${tone(value)}`}>{line(value, 40)}</span>;
}

export function When({ at, now }: { at: number | undefined; now: number }): JSX.Element {
  if (at === undefined) return <span class="note">–</span>;
  const date = new Date(at);
  return (
    <time dateTime={Number.isNaN(date.getTime()) ? undefined : date.toISOString()} title={moment(at)}>
      {ago(at, now)}
    </time>
  );
}

/** JSON as text, in lines; a long one is cut until asked for. Never anything but text. */
export function Json({ data, label }: { data: unknown; label: string }): JSX.Element {
  const [all, setAll] = useState(false);
  const text = written(data);
  const MOST = 4000;
  const cut = !all && text.length > MOST;
  return (
    <div class="json">
      {/* Scrolled by keyboard, so it can be reached. */}
      <pre tabIndex={0} role="region" aria-label={label} dir="ltr">
        {visible(cut ? text.slice(0, MOST) : text)}
      </pre>
      {cut && (
        <button type="button" class="small" onClick={() => setAll(true)}>
          Show all {text.length.toLocaleString('en')} characters
        </button>
      )}
    </div>
  );
}

/** Lines of text as they are: of a stack, say. */
export function Text({ text, label }: { text: string; label: string }): JSX.Element {
  return (
    <div class="json">
      <pre tabIndex={0} role="region" aria-label={label} dir="ltr">
        {visible(text)}
      </pre>
    </div>
  );
}

function visible(text: string): string {
  // Line breaks of the layout stay; whatever else would hide or turn text is shown by its code.
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Milliseconds since the epoch, by their name, of this century or so. */
function isMoment(name: string, item: unknown): item is number {
  return typeof item === 'number' && Number.isInteger(item) && item > 1e11 && item < 1e13 && /(^|_)(at|until)$|[a-z]At$/.test(name);
}

/** A list of attributes, each by its name; what is no plain value is JSON. */
export function Attributes({ data, label }: { data: Record<string, unknown>; label: string }): JSX.Element {
  const names = Object.keys(data);
  if (names.length === 0) return <p class="note">No {label}.</p>;
  return (
    <dl class="attributes">
      {names.map((name) => {
        const item = data[name];
        const plain = item === null || typeof item !== 'object';
        const text = plain ? String(item) : '';
        return (
          <div key={name}>
            <dt>
              <bdi>{line(name, 80)}</bdi>
            </dt>
            <dd>
              {isMoment(name, item) ? (
                <>
                  <time>{moment(item)}</time> <span class="literal">{text}</span>
                </>
              ) : plain && text.length <= 300 ? (
                <bdi class={typeof item === 'string' ? undefined : 'literal'}>{line(text, 300)}</bdi>
              ) : (
                <Json data={item} label={line(name, 80)} />
              )}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

export interface Question {
  title: string;
  text: string;
  action: string;
  danger?: boolean;
  run: () => Promise<void>;
}

/** Asks before something is done. Esc and Cancel do nothing; a fault is said here. */
export function Confirm({ question, close }: { question: Question; close: () => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Error>();
  const id = useId();
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    dialog.current?.showModal();
    return () => before?.focus();
  }, []);
  const run = async (): Promise<void> => {
    setBusy(true);
    setFault(undefined);
    try {
      await question.run();
      announce(`${question.action}: done`);
      close();
    } catch (error) {
      setFault(error as Error);
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={close} onCancel={close}>
      <h2 id={id}>{question.title}</h2>
      <p>{question.text}</p>
      {fault !== undefined && <Fault error={fault} />}
      <div class="actions">
        <button type="button" onClick={close}>
          Cancel
        </button>
        <button type="button" class={question.danger ? 'danger' : 'primary'} disabled={busy} onClick={() => void run()}>
          {question.action}
        </button>
      </div>
    </dialog>
  );
}
