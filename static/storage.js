/** Data that survives a reload: opened images, unfinished jobs, the recipe. Stored in this browser only (IndexedDB). */

const DATABASE = "tessera";
const STORE = "entries";

/** A key-value store. Dispatches "failed" when a value could not be stored: no space left, or no IndexedDB in a private window. */
export class KeyValueStore extends EventTarget {
  #database = open();

  constructor() { super(); this.#database.catch(() => {}); }

  /** The value of a key, or undefined. */
  get = (key) => this.#transact("readonly", (store) => store.get(key)).catch(() => undefined);

  /** Stores a value; Blobs are allowed. */
  set = (key, value) => this.#transact("readwrite", (store) => store.put(value, key)).catch(() => { this.dispatchEvent(new Event("failed")); });

  /** Deletes everything. */
  clear = () => this.#transact("readwrite", (store) => store.clear()).catch(() => {});

  async #transact(mode, operation) {
    const database = await this.#database;
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = operation(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  }
}

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = (event) => { event.preventDefault(); reject(request.error); };
  });
}
