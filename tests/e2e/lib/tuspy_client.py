"""tuspy_client.py - one upload by tuspy, told by a JSON object as argument; prints the URL of the upload when its file is there.

file, endpoint; options: what Uploader takes; store: file of the URL storage; asynchronous: by AsyncUploader.
"""
import asyncio
import json
import sys

from tusclient import client
from tusclient.storage import filestorage

task = json.loads(sys.argv[1])
options = dict(task.get('options', {}))
if 'store' in task:
    options.update(store_url=True, url_storage=filestorage.FileStorage(task['store']))
tus = client.TusClient(task['endpoint'])
if task.get('asynchronous'):
    async def upload():
        uploader = tus.async_uploader(task['file'], **options)
        await uploader.upload()
        return uploader.url
    print(asyncio.run(upload()))
else:
    uploader = tus.uploader(task['file'], **options)
    uploader.upload()
    print(uploader.url)
