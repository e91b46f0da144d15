/** What must outlive a reload: opened pictures, unfinished jobs, the recipe. Kept in this browser alone (IndexedDB). */

const NAME = "tessera";
const STORE = "kept";

/** A small key-value store. Where the browser has none (private mode), it forgets, and says nothing. */
export class Vault {
  #database = open();

  /** The value of a key, or undefined. */
  get = (key) => this.#ask("readonly", (store) => store.get(key));

  /** Keeps a value; Blobs are fine. */
  put = (key, value) => this.#ask("readwrite", (store) => store.put(value, key));

  /** Forgets a key. */
  drop = (key) => this.#ask("readwrite", (store) => store.delete(key));

  async #ask(mode, act) {
    const database = await this.#database;
    if (!database) return undefined;
    return new Promise((resolve) => {
      try {
        const request = act(database.transaction(STORE, mode).objectStore(STORE));
        request.onsuccess = () => resolve(request.result);
        request.onerror = (event) => { event.preventDefault(); resolve(undefined); };
      } catch {
        resolve(undefined);
      }
    });
  }
}

function open() {
  return new Promise((resolve) => {
    try {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
}
