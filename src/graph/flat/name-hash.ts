/**
 * The hash by which flat names are found: over bytes of UTF-8, from a seed, so that nobody who may choose names can
 * know which of them collide. Written into snapshots on disk with its seed: to change it is to change their format.
 */

// An odd multiplier with well-spread bits (2^32 divided by the golden ratio); the shift lets every byte reach every bit.
const multiplier = 0x9e3779b1;

export function mix(hash: number, byte: number): number {
  const mixed = Math.imul(hash ^ byte, multiplier);
  return mixed ^ (mixed >>> 15);
}

export function hashOfBytes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed;
  for (let i = start; i < end; i++) hash = mix(hash, bytes[i] as number);
  return hash;
}
