import { useEffect, useRef, useState } from "preact/hooks";

/** After the last key, so that a word is one question. */
const PAUSE_MS = 250;

interface SearchFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onSearch: (text: string) => void;
}

/** A field to search with; `/` puts the cursor there. */
export function SearchField({ label, value, onSearch }: SearchFieldProps) {
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => onSearch(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, value, onSearch]);
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if (event.key !== "/" || (event.target as HTMLElement).matches("input, select, textarea")) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener("keydown", focus);
    return () => removeEventListener("keydown", focus);
  }, []);
  return (
    <label class="choice search">
      <span>{label}</span>
      <input
        ref={field}
        type="search"
        value={text}
        placeholder="name, id, label … ( / )"
        onInput={(event) => setText(event.currentTarget.value)}
      />
    </label>
  );
}
