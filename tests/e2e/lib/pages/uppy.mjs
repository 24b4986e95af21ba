// uppy.mjs - Uppy without a user interface: the plugins that send files, and the one that finds them again after a reload.
import Uppy from '@uppy/core';
import GoldenRetriever from '@uppy/golden-retriever';
import Tus from '@uppy/tus';

const asked = new URLSearchParams(location.search);
const uppy = new Uppy();
uppy.use(Tus, { endpoint: asked.get('endpoint'), chunkSize: Number(asked.get('chunk') ?? Infinity), retryDelays: [0, 50, 100, 200, 400, 800] });
uppy.use(GoldenRetriever, { expires: 60000 });

window.uppy = uppy;
window.outcome = new Promise(done => uppy.on('complete', r => done({ urls: r.successful.map(f => f.uploadURL), failed: r.failed.map(f => String(f.error)) })));
window.restored = new Promise(done => uppy.on('restored', () => done(uppy.getFiles().map(f => ({ name: f.name, ghost: f.isGhost })))));
document.querySelector('input').addEventListener('change', e => {
	// as Uppy's own user interfaces add them
	for (const f of e.target.files) uppy.addFile({ source: 'input', name: f.name, type: f.type, data: f, meta: { relativePath: f.relativePath ?? null } });
	uppy.upload().catch(() => { /* told by complete */ });
});

// Whether the browser's database has the file and the URL of its upload, so that a reload finds both.
const answered = r => new Promise((done, fail) => { r.onsuccess = () => done(r.result); r.onerror = () => fail(r.error); });
window.stored = async () => {
	const db = await answered(indexedDB.open('uppy-blobs'));
	const t = db.transaction(['files', 'metadata']);
	const [files, state] = await Promise.all(['files', 'metadata'].map(n => answered(t.objectStore(n).getAll())));
	db.close();
	return files.length > 0 && state.some(s => s.metadata.includes('"uploadUrl":"http'));
};
window.ready = true;
