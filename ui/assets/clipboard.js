/* The one way to the clipboard. */

/** Whether the text is in the clipboard. Inside another site's frame, as on a Space, only the old way may be allowed. */
export async function copyText(text, place) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "unseen";
    place.append(field);
    field.select();
    const worked = document.execCommand("copy");
    field.remove();
    return worked;
  }
}
