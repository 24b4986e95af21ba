// tus.mjs - uploads the chosen file as an application does that knows of stored URLs and of networks that go away.
import * as tus from 'tus-js-client';

// outcome: {url} or {error} when it is over.
window.upload = async (endpoint, options) => {
	const file = document.querySelector('input').files[0];
	let over;
	window.outcome = new Promise(done => { over = done; });
	const u = new tus.Upload(file, {
		endpoint, retryDelays: [0, 50, 100, 200, 400, 800], metadata: { filename: file.name, filetype: file.type }, ...options,
		onSuccess: () => over({ url: u.url }),
		// While the browser is offline the client does not try; who waits until it is not goes on.
		onError: e => (navigator.onLine ? over({ error: String(e) }) : window.addEventListener('online', () => u.start(), { once: true })),
	});
	const previous = await u.findPreviousUploads();
	if (previous.length) u.resumeFromPreviousUpload(previous[0]);
	u.start();
	return previous.length;
};
window.ready = true;
