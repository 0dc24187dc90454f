/* Gradio's sign of waiting counts seconds frame by frame. That of the start is taken out of the page before it hears that the
   wait is over, so it would count for ever: an idle page asked for sixty frames a second, an eighth of a processor. Nothing
   here shows such seconds (QUIET in ui/components.py), so none are counted. */

const COUNTS_SECONDS = /performance\.now\(\)\s*-/;

const ask = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (work) => (COUNTS_SECONDS.test(work) ? 0 : ask(work));
