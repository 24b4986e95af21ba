// data.mjs - test bytes, digests and metadata; they live in the conformance suite, which must stand alone.
export * from '../../conformance/lib/data.mjs';
