// browser.mjs - pages in a real, headless Chromium, on an origin of their own: what they send to the server crosses origins, preflights included.
//
// Packages are served as they are installed, without a bundler: an import map tells the browser where they lie, and the few that are no ES modules are
// wrapped into one on their way.
import { after, before } from 'node:test';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const executablePath = ['chromium', 'chromium-browser', 'google-chrome'].flatMap(n => process.env.PATH.split(':').map(d => path.join(d, n))).find(f => fs.existsSync(f));
export const noBrowser = executablePath ? false : 'there is no Chromium (package chromium)';

const modules = fileURLToPath(new URL('../node_modules/', import.meta.url));
const pages = fileURLToPath(new URL('./pages/', import.meta.url));
const types = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.json': 'application/json', '.html': 'text/html; charset=utf-8' };

// Every package by its name that the pages, or the packages themselves, import.
const IMPORTS = ['@transloadit/prettier-bytes', '@uppy/core', '@uppy/core/utils', '@uppy/golden-retriever', '@uppy/tus', 'classnames', 'eventemitter3',
	'is-network-error', 'js-base64', 'lodash/debounce.js', 'lodash/throttle.js', 'mime-match', 'namespace-emitter', 'nanoid/non-secure', 'p-queue', 'p-retry',
	'p-timeout', 'preact', 'preact/compat', 'preact/hooks', 'preact/jsx-runtime', 'querystringify', 'requires-port', 'tus-js-client', 'url-parse', 'wildcard'];

const choose = e => (typeof e === 'string' ? e : choose(e[['browser', 'import', 'default'].find(k => k in e)]));

// Where the file lies that a browser gets for an import.
function place(name) {
	const [, pkg, sub] = /^((?:@[^/]+\/)?[^/]+)(.*)$/.exec(name);
	const p = JSON.parse(fs.readFileSync(path.join(modules, pkg, 'package.json')));
	if (p.exports) return path.posix.join('/', pkg, choose(p.exports[`.${sub}`] ?? p.exports));
	if (sub) return `/${name}`;
	const main = `./${path.posix.normalize(p.module ?? p.main)}`;
	return path.posix.join('/', pkg, typeof p.browser === 'object' ? p.browser[main] ?? main : main);
}

const importMap = () => JSON.stringify({ imports: Object.fromEntries(IMPORTS.map(n => [n, `/modules${place(n)}`])) });

// A CommonJS file as an ES module whose default export is what it exports.
function wrapped(source) {
	const wanted = [...new Set([...source.matchAll(/\brequire\(['"]([^'"]+)['"]\)/g)].map(m => m[1]))];
	const from = n => (n.startsWith('.') && !n.endsWith('.js') ? `${n}.js` : n);
	return `${wanted.map((n, i) => `import m${i} from '${from(n)}';`).join(' ')}
const module = { exports: {} }, required = { ${wanted.map((n, i) => `'${n}': () => m${i}`).join(', ')} };
(function (module, exports, require, global) {${source}
}).call(module.exports, module, module.exports, n => required[n](), globalThis);
export default module.exports;`;
}

function serve(req, res) {
	const at = new URL(req.url, 'http://pages/').pathname;
	const file = at.startsWith('/modules/') ? path.join(modules, at.slice(9)) : path.join(pages, at);
	if (at.includes('..') || !fs.existsSync(file) || !types[path.extname(file)]) return res.writeHead(404).end();
	let text = fs.readFileSync(file, 'utf8');
	if (path.extname(file) === '.html') text = text.replace('IMPORT_MAP', importMap());
	else if (path.extname(file) === '.js' && /\bmodule\.exports\b|^exports\.\w+ =/m.test(text)) text = wrapped(text);
	res.writeHead(200, { 'Content-Type': types[path.extname(file)], 'Cache-Control': 'no-store' }).end(text);
}

// One browser and one server of pages for a test file: {open(name)}, there when its first test runs.
export function useBrowser() {
	const b = {};
	before(async () => {
		if (noBrowser) return;
		b.http = http.createServer(serve).listen(0, '127.0.0.1');
		await once(b.http, 'listening');
		b.origin = `http://localhost:${b.http.address().port}`;
		b.chromium = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
	});
	after(async () => {
		await b.chromium?.close();
		b.http?.closeAllConnections();
		b.http?.close();
	});
	// A page in a profile of its own, which knows no other's stored URLs; what goes wrong in it is in page.troubles.
	b.open = async (name, query = '') => {
		const context = await b.chromium.newContext();
		const page = await context.newPage();
		page.troubles = [];
		page.on('pageerror', e => page.troubles.push(String(e)));
		page.on('console', m => { if (m.type() === 'error') page.troubles.push(m.text()); });
		await page.goto(`${b.origin}/${name}.html${query}`);
		await page.waitForFunction('window.ready', undefined, { timeout: 10000 }).catch(e => { throw new Error(`${e.message} ${page.troubles.join(' ')}`); });
		return page;
	};
	return b;
}
