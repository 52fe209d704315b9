/** URL and URLSearchParams of core-js: a tenth of whatwg-url, whose IDNA table alone is ten times the parser. */
import CoreURL from 'core-js-pure/stable/url/index.js';
import CoreURLSearchParams from 'core-js-pure/stable/url-search-params/index.js';

export const URL = CoreURL;
export const URLSearchParams = CoreURLSearchParams;
