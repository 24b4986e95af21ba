// disk.mjs - an ext4 file system in a file, whose power can be cut.
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { build } from '../e2e/lib/server.mjs';

function run(file, ...args) {
	const r = spawnSync(file, args, { encoding: 'utf8', env: { ...process.env, LD_PRELOAD: '', PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
	return r.status === 0 ? '' : `${file} ${args.join(' ')}: ${r.error?.message ?? (r.stderr || r.stdout).trim()}`;
}
function must(...command) {
	const wrong = run(...command);
	if (wrong) throw new Error(wrong);
}

export class Disk {
	constructor(dir, mib = 600) {
		this.image = path.join(dir, 'disk.img');
		this.mount = path.join(dir, 'disk');
		fs.mkdirSync(this.mount);
		fs.writeFileSync(this.image, '');
		fs.truncateSync(this.image, mib << 20);
	}

	format() { must('mkfs.ext4', '-q', '-F', this.image); }

	// Nothing is saved by luck: the journal is written when somebody asks, and a rename does not write the file's data.
	up() { must('mount', '-o', 'loop,commit=300,noauto_da_alloc', this.image, this.mount); }
	down() { must('umount', this.mount); }
	cut() { must(path.join(build, 'tests/cut'), this.mount); }
	check() { return run('e2fsck', '-f', '-n', this.image); }
	remove() { run('umount', '-l', this.mount); fs.rmSync(this.image, { force: true }); }

	// Why this machine cannot do it, or ''.
	static unable(dir) {
		if (process.getuid() !== 0) return 'only root can mount';
		const d = new Disk(fs.mkdtempSync(path.join(dir, 'try-')), 16);
		try {
			d.format();
			d.up();
			d.cut();
			d.down();
			return '';
		} catch (e) {
			return e.message;
		} finally {
			d.remove();
		}
	}
}
