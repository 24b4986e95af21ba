// content.mjs - what an upload must contain, by what clients sent and what they were told.
//
// An upload's bytes at every place are one of a few versions (bytes(seed v, place)). Version 0 is what its owner sends; others are sent by a second client
// that fights for it, so that bytes of two writers can never be taken for one another's.
import { bytes } from '../e2e/lib/data.mjs';

export class Content {
	constructor(seed) {
		this.seed = seed;
		this.known = 0;     // the highest offset that a client was told
		this.segs = [];     // [from, to) and the versions that may stand there
		this.bodies = [];   // sent and perhaps still under way: {at, end, v}
	}

	bytes(v, at, n) { return bytes(`${this.seed} v${v}`, at, n); }

	// A body of version v is being sent from at on; whole: with its checksum, so that it counts whole or not at all.
	sending(at, n, v = 0, whole = false) {
		const b = { at, end: at + n, v, whole };
		this.bodies.push(b);
		return b;
	}

	// It can bring nothing any more: its offset is behind.
	forget(known) { this.bodies = this.bodies.filter(b => b.end > known); }

	// Versions that may have filled [from, to), as one body did from its beginning on.
	candidates(from, to) {
		const out = new Set();
		for (const b of this.bodies) {
			if (b.at > from || b.end < to || (b.whole && (b.at !== from || b.end !== to))) continue;
			if (this.segs.every(s => s.to <= b.at || s.from >= from || s.versions.includes(b.v))) out.add(b.v);
		}
		return [...out];
	}

	// A client was told this offset; by: the body whose answer it was. '' or what is wrong.
	told(offset, by) {
		if (offset < this.known) return `offset ${offset} after ${this.known} was told`;
		if (offset === this.known) return '';
		const versions = by ? [by.v] : this.candidates(this.known, offset);
		if (by && (by.at > this.known || by.end < offset)) return `offset ${offset} for a body [${by.at}, ${by.end}) on ${this.known}`;
		if (!versions.length) return `offset ${offset} after ${this.known}, but nobody sent that`;
		this.segs.push({ from: this.known, to: offset, versions });
		this.known = offset;
		this.forget(offset);
		return '';
	}

	// The power was cut: it is known up to here only. (Some of the bodies may not even have been sent yet.)
	rollback(offset) {
		this.known = offset;
		this.segs = this.segs.filter(s => s.from < offset).map(s => ({ ...s, to: Math.min(s.to, offset) }));
	}

	// Compares stored bytes [0, stored.length); what was not told yet may come from any body. '' or what is wrong.
	compare(stored) {
		if (stored.length < this.known) return `${stored.length} bytes are stored, ${this.known} were told`;
		for (const s of this.segs) {
			const have = stored.subarray(s.from, s.to);
			s.versions = s.versions.filter(v => have.equals(this.bytes(v, s.from, s.to - s.from)));
			if (!s.versions.length) return `bytes [${s.from}, ${s.to}) are nobody's`;
		}
		if (stored.length === this.known) return '';
		const rest = stored.subarray(this.known);
		if (this.candidates(this.known, stored.length).some(v => rest.equals(this.bytes(v, this.known, rest.length)))) return '';
		return `bytes [${this.known}, ${stored.length}) were not told yet, and are nobody's`;
	}
}
