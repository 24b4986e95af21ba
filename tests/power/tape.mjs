// tape.mjs - what shim_record.c wrote down, and the disks that a power cut at some moment may leave behind.
//
// Legal is: of every file, what was made before a sync of it began that had ended by then is there; anything made later is there or not, in pieces of 4 KiB,
// each by itself. The same for the entries of a folder, with a sync of the folder. `ordered`: as a journal does it, entries are lost from the end
// only, and any sync keeps all that came before. Else each is there or not by itself, and only a sync of the folder keeps one.
import fs from 'node:fs';
import path from 'node:path';

const HEADER = 56, PIECE = 4096, MARK = 101, SYNC_BEGINS = 100;
const KINDS = ['open', 'write', 'copy', 'truncate', 'allocate', 'fsync', 'fdatasync', 'rename', 'link', 'unlink', 'mkdir'];
const O_TRUNC = 0o1000;

// Something that a client was told: behind everything that was made before.
export function mark(fd, what) {
	const data = Buffer.from(JSON.stringify(what)), head = Buffer.alloc(HEADER);
	head.write('REC1', 0, 'latin1');
	head.writeUInt32LE(MARK, 4);
	head.writeBigUInt64LE(BigInt(data.length), 40);
	fs.writeSync(fd, Buffer.concat([head, data]));
}

export function read(file) {
	const b = fs.readFileSync(file), out = [];
	for (let p = 0; p + HEADER <= b.length;) {
		if (b.toString('latin1', p, p + 4) !== 'REC1') throw new Error(`the tape is torn at ${p}`);
		const kind = b.readUInt32LE(p + 4), n1 = b.readUInt32LE(p + 32), n2 = b.readUInt32LE(p + 36), bytes = Number(b.readBigUInt64LE(p + 40));
		const r = { kind: kind === MARK ? 'mark' : kind === SYNC_BEGINS ? 'begin' : KINDS[kind], ino: Number(b.readBigUInt64LE(p + 8)), at: Number(b.readBigInt64LE(p + 16)),
			len: Number(b.readBigInt64LE(p + 24)), token: b.readBigUInt64LE(p + 48) };
		let at = p + HEADER;
		r.path = b.toString('utf8', at, at += n1).replace(/ \(deleted\)$/, '');
		r.path2 = b.toString('utf8', at, at += n2);
		r.data = b.subarray(at, at += bytes);
		if (r.kind === 'mark') r.mark = JSON.parse(r.data.toString());
		out.push(r);
		p = at;
	}
	return out;
}

// Takes the records one after the other and knows at every moment what is safe.
export class Tape {
	constructor(records, root, ordered) {
		Object.assign(this, { records, root, ordered, at: 0 });
		this.names = new Map();     // path: file, as it is
		this.files = new Set();
		this.entries = [];          // changes of folders in order: {dir, kind, path, path2, file, safe}
		this.begun = new Map();     // syncs under way: {token: what it covers}
		this.marks = [];
	}

	file(r) {
		let f = this.names.get(r.path);
		if (f?.ino === r.ino) return f;
		f = [...this.files].find(x => x.ino === r.ino && !x.dead);
		if (f) return f;
		f = { ino: r.ino, ops: [], base: Buffer.alloc(0) };
		this.files.add(f);
		return f;
	}

	entry(e) { this.entries.push({ safe: false, ...e }); }

	// Whether nothing names it any more: its number may be given again.
	unlink(p) {
		const f = this.names.get(p);
		this.names.delete(p);
		if (f && ![...this.names.values()].includes(f)) f.dead = true;
	}

	step() {
		const r = this.records[this.at++];
		switch (r.kind) {
		case 'mark': this.marks.push(r.mark); break;
		case 'open': {
			const known = this.names.get(r.path);
			const f = this.file(r);
			if (known !== f) {
				this.names.set(r.path, f);
				this.entry({ dir: path.dirname(r.path), kind: 'link', path: r.path, file: f });
			}
			if (r.len & O_TRUNC) f.ops.push({ truncate: 0 });
			break;
		}
		case 'write': {
			const f = this.file(r);
			for (let p = 0; p < r.data.length;) {
				const n = Math.min(PIECE - ((r.at + p) % PIECE), r.data.length - p);
				f.ops.push({ at: r.at + p, data: r.data.subarray(p, p + n) });
				p += n;
			}
			break;
		}
		case 'truncate': this.file(r).ops.push({ truncate: r.len }); break;
		case 'allocate': this.file(r).ops.push({ grow: r.at + r.len }); break;
		case 'begin': {
			const f = [...this.files].find(x => x.ino === r.ino && !x.dead);
			this.begun.set(r.token, { file: f, ops: f?.ops.length ?? 0, entries: this.entries.length, dir: r.path });
			break;
		}
		case 'fsync': case 'fdatasync': this.synced(this.begun.get(r.token)); this.begun.delete(r.token); break;
		case 'rename': {
			const f = this.names.get(r.path);
			this.names.delete(r.path);
			this.unlink(r.path2);
			if (f) this.names.set(r.path2, f);
			this.entry({ dir: path.dirname(r.path), dir2: path.dirname(r.path2), kind: 'rename', path: r.path, path2: r.path2, file: f });
			break;
		}
		case 'link': {
			const f = this.names.get(r.path) ?? this.file(r);
			this.names.set(r.path2, f);
			this.entry({ dir: path.dirname(r.path2), kind: 'link', path: r.path2, file: f });
			break;
		}
		case 'unlink': this.unlink(r.path); this.entry({ dir: path.dirname(r.path), kind: 'unlink', path: r.path }); break;
		case 'mkdir': this.entry({ dir: path.dirname(r.path), kind: 'mkdir', path: r.path }); break;
		default:
		}
	}

	synced(s) {
		if (!s) return;
		if (s.file) s.file.ops.forEach((o, i) => { if (i < s.ops) o.safe = true; });
		this.entries.forEach((e, i) => { if (i < s.entries && (this.ordered || e.dir === s.dir || e.dir2 === s.dir)) e.safe = true; });
		if (s.file) this.settle(s.file);
	}

	// What is safe from the beginning on needs no list.
	settle(f) {
		const n = f.ops.findIndex(o => !o.safe), done = n < 0 ? f.ops.length : n;
		if (!done) return;
		f.base = content(f.base, f.ops.slice(0, done));
		f.ops = f.ops.slice(done);
		for (const s of this.begun.values()) if (s.file === f) s.ops = Math.max(0, s.ops - done);
	}

	// Writes one legal state below `to`. keep: how likely each thing is to be there that nothing holds.
	state(to, random, keep) {
		const last = random.int(0, this.entries.length);
		const there = this.entries.map((e, i) => e.safe || (this.ordered ? i < last : random.chance(keep)));
		const names = new Map(), dirs = new Set();
		this.entries.forEach((e, i) => {
			if (!there[i]) return;
			if (e.kind === 'mkdir') dirs.add(e.path);
			else if (e.kind === 'unlink') names.delete(e.path);
			else if (e.kind === 'link') names.set(e.path, e.file);
			else if (e.file) { names.delete(e.path); names.set(e.path2, e.file); }
		});
		const place = p => path.join(to, path.relative(this.root, p));
		for (const d of dirs) fs.mkdirSync(place(d), { recursive: true });
		for (const [p, f] of names) {
			if (!path.resolve(p).startsWith(this.root) || /-shm$/.test(p)) continue;
			fs.mkdirSync(path.dirname(place(p)), { recursive: true });
			fs.writeFileSync(place(p), content(f.base, f.ops.filter(o => o.safe || random.chance(keep))));
		}
	}
}

function content(base, ops) {
	let size = base.length;
	for (const o of ops) size = Math.max(size, o.grow ?? (o.data ? o.at + o.data.length : 0));
	const b = Buffer.alloc(size);
	base.copy(b);
	size = base.length;
	for (const o of ops) {
		if (o.truncate !== undefined) {
			if (o.truncate < size) b.fill(0, o.truncate, size);
			size = o.truncate;
		} else if (o.grow !== undefined) {
			size = Math.max(size, o.grow);
		} else {
			o.data.copy(b, o.at);
			size = Math.max(size, o.at + o.data.length);
		}
	}
	return size <= b.length ? b.subarray(0, size) : Buffer.concat([b, Buffer.alloc(size - b.length)]);
}
