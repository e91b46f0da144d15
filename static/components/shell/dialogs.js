/** Opens and closes modal dialogs; focus moves in and returns to where it was. */

/** Connects a dialog's close buttons and its backdrop. Returns the dialog. */
export function setUpDialog(dialog) {
  for (const button of dialog.querySelectorAll('[data-action="close"]')) {
    button.addEventListener("click", () => dialog.close("closed"));
  }
  dialog.addEventListener("pointerdown", (event) => {
    if (event.target === dialog && isOutside(dialog, event)) dialog.close("closed");
  });
  return dialog;
}

/** Opens a dialog, focuses `first` if given, and restores the focus when it closes. */
export function openDialog(dialog, first = null) {
  const before = document.activeElement;
  dialog.returnValue = "";
  dialog.showModal();
  first?.focus();
  dialog.addEventListener("close", () => { if (before?.isConnected) before.focus({ preventScroll: true }); }, { once: true });
}

function isOutside(dialog, event) {
  const box = dialog.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
}
