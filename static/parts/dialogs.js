/** Opening and closing of modal dialogs: focus goes in, and comes back to where it was. */

/** Wires a dialog's close buttons and its backdrop. Returns the dialog. */
export function wire(dialog) {
  for (const button of dialog.querySelectorAll('[data-action="close"]')) {
    button.addEventListener("click", () => dialog.close("closed"));
  }
  dialog.addEventListener("pointerdown", (event) => {
    if (event.target === dialog && outside(dialog, event)) dialog.close("closed");
  });
  return dialog;
}

/** Opens a dialog and gives the focus back when it closes. */
export function open(dialog, first = null) {
  const before = document.activeElement;
  dialog.returnValue = "";
  dialog.showModal();
  first?.focus();
  dialog.addEventListener("close", () => { if (before?.isConnected) before.focus({ preventScroll: true }); }, { once: true });
}

function outside(dialog, event) {
  const box = dialog.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
}
