/* Runs before the board. Its libraries make style elements, which the page's policy lets in only with its nonce. */
(() => {
  const { nonce } = document.currentScript;
  const createElement = document.createElement.bind(document);
  document.createElement = (name, options) => {
    const element = createElement(name, options);
    if (String(name).toLowerCase() === 'style') element.nonce = nonce;
    return element;
  };

  /* A session that has ended is not the board's to explain. */
  const { send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.send = function (...body) {
    this.addEventListener('load', () => {
      if (this.status === 401) location.assign('/console/login');
    });
    return send.apply(this, body);
  };
})();
