/* The form as this browser keeps it, from one visit to the next. */

const STORED_DRAFT = "diptych-draft";

/** What is kept, or null; earlier versions kept it scrambled, which counts as nothing. */
export function storedDraft() {
  const stored = localStorage.getItem(STORED_DRAFT);
  return stored?.startsWith("{") ? JSON.parse(stored) : null;
}

export function forgetDraft() {
  localStorage.removeItem(STORED_DRAFT);
}

export function keepDraft({ props, watch }) {
  watch("value", () => localStorage.setItem(STORED_DRAFT, JSON.stringify(props.value)));
}
