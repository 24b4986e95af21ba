// http.mjs - the bare HTTP client; it lives in the conformance suite, which must stand alone.
export * from '../../conformance/lib/http.mjs';
