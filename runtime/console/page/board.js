/* Runs before the board. Its libraries make style elements, which the page's policy lets in only with its nonce. */
(() => {
  const { nonce } = document.currentScript;
  const createElement = document.createElement.bind(document);
  document.createElement = (name, options) => {
    const element = createElement(name, options);
    if (String(name).toLowerCase() === 'style') element.nonce = nonce;
    return element;
  };

  /* The session's second half, which servers on other ports of this machine do not receive as they do its cookie.
     And a session that has ended is not the board's to explain. */
  const { send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.send = function (...body) {
    this.addEventListener('load', () => {
      if (this.status === 401) location.assign('/console/login');
    });
    this.setRequestHeader('x-plexi-page-key', localStorage.getItem('plexi-page-key') ?? '');
    return send.apply(this, body);
  };
})();
