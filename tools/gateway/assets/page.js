"use strict";
// Comfort only: all that the page does, it does without this.

// A button that confirms is pressed once; the key in its form makes a second time harmless anyway.
document.addEventListener("submit", (event) => {
  const button = event.target.querySelector("button[data-once]");
  if (button) {
    setTimeout(() => { button.disabled = true; }, 0);
  }
});
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("button[data-once]")) {
    button.disabled = false;
  }
});

// Amounts are typed with separators, as they are printed.
for (const input of document.querySelectorAll("input[inputmode=numeric].r")) {
  input.addEventListener("input", () => {
    const digits = input.value.replace(/,/g, "");
    if (/^\d{1,15}$/.test(digits) && input.selectionStart === input.value.length) {
      input.value = digits.replace(/\B(?=(\d{3})+$)/g, ",");
    }
  });
}

// A list that was looked through in part, and had nothing so far, goes on by itself: so many times.
const goesOn = 50;
const onward = document.querySelector("[data-go-on]") && document.querySelector("a[rel=next]");
const gone = onward ? Number(sessionStorage.getItem("gone-on")) || 0 : 0;
sessionStorage.setItem("gone-on", onward && gone < goesOn ? gone + 1 : 0);
if (onward && gone < goesOn) {
  setTimeout(() => { location.replace(onward.href); }, 100);
}

// A frame is a stop of the keyboard where it can be moved, and none where it cannot.
const stops = () => {
  for (const frame of document.querySelectorAll(".scroll")) {
    frame.tabIndex = frame.scrollWidth > frame.clientWidth ? 0 : -1;
  }
};
window.addEventListener("resize", stops);
stops();
