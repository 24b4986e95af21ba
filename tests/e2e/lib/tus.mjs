// tus.mjs - tus 1.0.0 requests as short calls; they live in the conformance suite, which must stand alone.
export * from '../../conformance/lib/tus.mjs';
