// data.mjs - test bytes that can be made again at any place: pseudo-random data by seed and offset, and digests.
import { createCipheriv, createHash } from 'node:crypto';

const zeros = Buffer.alloc(1 << 20);

// Bytes [offset, offset+length) of the endless sequence `seed`. AES in counter mode over zeros, so any range costs only itself.
export function bytes(seed, offset, length) {
	const key = createHash('sha256').update(`seed ${seed}`).digest().subarray(0, 16);
	const iv = Buffer.alloc(16);
	iv.writeBigUInt64BE(BigInt(Math.floor(offset / 16)), 8);
	const skip = offset % 16;
	const cipher = createCipheriv('aes-128-ctr', key, iv);
	const out = Buffer.allocUnsafe(skip + length);
	for (let at = 0; at < out.length; at += zeros.length)
		cipher.update(zeros.subarray(0, Math.min(zeros.length, out.length - at))).copy(out, at);
	return out.subarray(skip);
}

// The same as a stream of pieces, for bodies that should not be held in memory.
export function* pieces(seed, offset, length, piece = 1 << 20) {
	for (let done = 0; done < length; done += piece)
		yield bytes(seed, offset + done, Math.min(piece, length - done));
}

export const sha256 = data => createHash('sha256').update(data).digest('hex');

export function sha256Of(iterable) {
	const h = createHash('sha256');
	for (const p of iterable) h.update(p);
	return h.digest('hex');
}

export const sha256Range = (seed, offset, length) => sha256Of(pieces(seed, offset, length));

export const b64 = text => Buffer.from(text).toString('base64');

// Upload-Metadata from an object.
export const metadata = pairs => Object.entries(pairs).map(([k, v]) => `${k} ${b64(String(v))}`).join(',');
