/** What this browser stores for a user, and its removal when the user leaves. */

const OWNER = "owner";

/**
 * Clears opened images and jobs when a user signs out, deletes the account, or another one signs in. Other tabs are
 * told, because they show and would store the same data again. Dispatches "cleared" when another tab has done it.
 */
export class LocalData extends EventTarget {
  #storage;
  #clearMemory;
  #channel = new BroadcastChannel("tessera");

  /** clearMemory(): empties the state and the jobs of this tab. */
  constructor(storage, clearMemory) {
    super();
    this.#storage = storage;
    this.#clearMemory = clearMemory;
    this.#channel.addEventListener("message", () => { this.#clearMemory(); this.dispatchEvent(new Event("cleared")); });
  }

  /** Removes everything, in all tabs. */
  async clear() {
    this.#clearMemory();
    await this.#storage.clear();
    this.#channel.postMessage("cleared");
  }

  /** Records whose data it is; the data of another user is removed. Work done before signing in is kept. */
  async claim(username) {
    const owner = await this.#storage.get(OWNER);
    if (owner === username) return;
    if (owner) await this.clear();
    await this.#storage.set(OWNER, username);
  }
}
