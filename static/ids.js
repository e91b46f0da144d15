/** Identifiers of images, jobs and batches in this browser. randomUUID is missing on pages served without TLS. */
export const newId = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
