/** Datasets that are known by name; any other is given by its URL. */
const NAMED = ["digits", "mnist", "fashion-mnist", "fashion-sample", "cifar10", "cifar100", "svhn", "dirty-mnist"];

interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  /** Of text; one where not given. */
  readonly lines?: number;
  readonly required?: boolean;
  readonly number?: boolean;
  /** Whether names of datasets are offered. */
  readonly suggestions?: boolean;
}

/** A labelled field of the form, and what is to be written there. */
export function Field({ name, label, hint, lines, required = false, number = false, suggestions = false }: FieldProps) {
  const id = `field-${name.replace(".", "-")}`;
  const shared = { id, name, required, ...(hint && { "aria-describedby": `${id}-hint` }) };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {lines ? (
        <textarea {...shared} rows={lines} spellcheck={false} />
      ) : (
        <input
          {...shared}
          type={number ? "number" : "text"}
          {...(suggestions && { list: `${id}-names` })}
          spellcheck={false}
        />
      )}
      {suggestions && (
        <datalist id={`${id}-names`}>
          {NAMED.map((dataset) => (
            <option key={dataset} value={dataset} />
          ))}
        </datalist>
      )}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}
