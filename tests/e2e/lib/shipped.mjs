// shipped.mjs - the configuration files for users, and which of them have been started by tests as they are.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { near, ORIGIN } from './fronts.mjs';
import { until } from './http.mjs';
import { root } from './server.mjs';

// The configuration files that are for users to take, and those of them that some test has started as they are.
export const shipped = ['nginx-conf', 'apache-conf', 'scripts'].flatMap(dir =>
	fs.readdirSync(path.join(root, dir)).filter(f => dir !== 'scripts' || f.includes('.conf')).map(f => `${dir}/${f}`));
export const started = new Set();

// A template is started if the running configuration has all its lines but those with names between @; others are included, or copied.
export function noteStarted(server) {
	const confs = ['nginx', 'apache', 'lighttpd'].flatMap(n => [path.join(server.runDir, `${n}.conf`), near(server, `${n}.conf`)]).filter(f => fs.existsSync(f));
	const text = confs.map(f => fs.readFileSync(f, 'utf8')).join('');
	const lines = new Set(text.split('\n'));
	for (const f of shipped) {
		const own = fs.readFileSync(path.join(root, f), 'utf8');
		const copy = near(server, path.basename(f));
		if (f.endsWith('.in') ? own.split('\n').every(l => l.includes('@') || lines.has(l))
			: text.includes(`"${path.join(root, f)}"`) || fs.existsSync(copy) && fs.readFileSync(copy, 'utf8') === own) started.add(f);
	}
}

// A site of somebody's own: an nginx around tus-locations.conf, with what its comments say is to be set beside it; only paths and the origin are others.
export async function ownSite(server, dir) {
	const file = 'nginx-conf/tus-locations.conf';
	const text = fs.readFileSync(path.join(root, file), 'utf8');
	const told = pattern => [...text.matchAll(/^#   (\w.*?)(?:[ \t]+#.*)?$/mg)].map(m => m[1]).filter(l => pattern.test(l));
	const maps = told(/^map /).map(l => l.replace('https://app.example', ORIGIN));
	const limits = told(/^(client|large)_/);
	assert.deepEqual([maps.length, limits.length], [4, 2]);
	fs.writeFileSync(path.join(dir, 'locations.conf'),
		text.replace('/var/lib/tus-fcgi/run/tus.sock', near(server, 'tus.sock')).replace('/var/lib/tus-fcgi/uploaded_data', server.doneDir));
	fs.copyFileSync('/etc/nginx/fastcgi_params', path.join(dir, 'fastcgi_params'));
	const port = await new Promise(done => { const s = net.createServer().listen(0, '127.0.0.1', () => { const p = s.address().port; s.close(() => done(p)); }); });
	fs.writeFileSync(path.join(dir, 'site.conf'), `
		daemon off; ${process.getuid() ? '' : 'user root root;'} pid ${dir}/pid; error_log ${dir}/error.log;
		events { worker_connections 4096; }
		http {
			access_log off;
			${['client_body', 'proxy', 'fastcgi', 'scgi', 'uwsgi'].map(n => `${n}_temp_path ${dir}/${n};`).join('\n')}
			${maps.join('\n')}
			server { listen 127.0.0.1:${port}; ${limits.join('\n')} include ${dir}/locations.conf; }
		}`);
	started.add(file);
	const nginx = spawn('nginx', ['-p', dir, '-e', `${dir}/error.log`, '-c', `${dir}/site.conf`],
		{ stdio: 'inherit', env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
	const gone = once(nginx, 'exit');
	await until(() => fs.existsSync(path.join(dir, 'pid')) || nginx.exitCode !== null, { what: 'own nginx' });
	return { url: `http://127.0.0.1:${port}`, stop: async () => { nginx.kill('SIGTERM'); await gone; } };
}
