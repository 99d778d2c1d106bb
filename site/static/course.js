// What can be scrolled sideways can be reached with the keyboard, and nothing else is a stop.
const SCROLLED = "article pre, .table-wrapper, div.math, .cell_output, div.wide";

function markScrollable() {
  for (const box of document.querySelectorAll(SCROLLED)) {
    if (box.scrollWidth > box.clientWidth) {
      box.tabIndex = 0;
    } else {
      box.removeAttribute("tabindex");
    }
  }
}

markScrollable();
window.addEventListener("load", markScrollable); // pictures have their size now
window.addEventListener("resize", markScrollable);
document.addEventListener("toggle", markScrollable, true); // an opened fold shows new boxes
