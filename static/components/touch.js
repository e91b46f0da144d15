/** Drags with a finger that the page handles itself. */

/** Makes a touchmove ours. Else the browser may see a fling in it, which the next tap would only stop: the tap is lost. */
export const keepTouch = (event) => { if (event.cancelable) event.preventDefault(); };

/** Makes every drag on an element ours. */
export const keepTouches = (element) => element.addEventListener("touchmove", keepTouch, { passive: false });
