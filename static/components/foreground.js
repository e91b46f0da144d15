/** The order of what the server renders for the page: what the user waits for comes first, thumbnails after it. */

/** What is in the foreground often follows at once, such as a part of a result after the file that it needs was sent. */
const PAUSE_MS = 50;

export class Foreground {
  #running = 0;
  #interruptible = new Set(); // an AbortController for each thing in the background
  #waiting = []; // call them once nothing runs in the foreground

  /** Interrupts the background until the function that is returned is called. */
  begin() {
    this.#running += 1;
    for (const abort of this.#interruptible) abort.abort();
    let isRunning = true;
    return () => {
      if (!isRunning) return;
      isRunning = false;
      this.#running -= 1;
      if (this.#running === 0) for (const proceed of this.#waiting.splice(0)) proceed();
    };
  }

  /** Does what the user waits for; work: () => Promise. */
  async run(work) {
    const end = this.begin();
    try { return await work(); } finally { end(); }
  }

  /** Does work(signal) while nothing runs in the foreground, and again if it was interrupted; `signal` stops it. */
  async runBehind(work, signal) {
    for (;;) {
      await this.#idle();
      signal.throwIfAborted();
      const abort = new AbortController();
      const stop = () => abort.abort();
      signal.addEventListener("abort", stop);
      this.#interruptible.add(abort);
      try {
        return await work(abort.signal);
      } catch (error) {
        if (signal.aborted || !abort.signal.aborted) throw error;
      } finally {
        this.#interruptible.delete(abort);
        signal.removeEventListener("abort", stop);
      }
    }
  }

  async #idle() {
    await null; // a preview that is requested together with thumbnails comes first
    while (this.#running) {
      await new Promise((resolve) => { this.#waiting.push(resolve); });
      await new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); });
    }
  }
}
