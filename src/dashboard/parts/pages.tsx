interface PagesProps {
  /** Of what, for who hears it: a page may have several lists. */
  readonly of: string;
  /** Cursor of the page that is shown; none: the first. */
  readonly cursor: string | undefined;
  readonly next: string | null;
  readonly onPage: (cursor: string | null) => void;
}

/** The ways to the first and to the next page of a list; the browser's "back" leads to the one before. */
export function Pages({ of, cursor, next, onPage }: PagesProps) {
  if (cursor === undefined && next === null) return null;
  return (
    <nav class="pages" aria-label={`Pages of ${of}`}>
      <button type="button" disabled={cursor === undefined} onClick={() => onPage(null)}>
        First page
      </button>
      <button type="button" disabled={next === null} onClick={() => onPage(next)}>
        Next page
      </button>
    </nav>
  );
}
