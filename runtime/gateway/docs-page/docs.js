// Runs in the reader's browser: finds operations, and sends the "Try it" forms to this host.
const token = document.querySelector('#token');
const find = document.querySelector('#find');
const operations = [...document.querySelectorAll('.operation')];

find.addEventListener('input', () => {
  const wanted = find.value.trim().toLowerCase();
  for (const operation of operations) {
    const text = `${operation.dataset.method} ${operation.dataset.path}`.toLowerCase();
    operation.hidden = !text.includes(wanted);
  }
});

for (const operation of operations) {
  operation.querySelector('form').addEventListener('submit', async (event) => {
    event.preventDefault();
    const result = operation.querySelector('.result');
    result.hidden = false;
    result.textContent = '…';
    try {
      result.textContent = await send(operation);
    } catch (error) {
      result.textContent = String(error);
    }
  });
}

async function send(operation) {
  const { method, path } = operation.dataset;
  const headers = {};
  if (token.value !== '') headers.authorization = `Bearer ${token.value}`;
  const body = operation.querySelector('textarea')?.value ?? '';
  if (body !== '') headers['content-type'] = 'application/json';
  const startedAt = performance.now();
  const response = await fetch(addressOf(operation, path), {
    method: method.toUpperCase(),
    headers,
    credentials: 'omit',
    ...(body === '' ? {} : { body }),
  });
  const took = Math.round(performance.now() - startedAt);
  const lines = [...response.headers].map(([name, value]) => `${name}: ${value}`);
  return `${response.status} ${response.statusText} (${took} ms)\n${lines.join('\n')}\n\n${readable(await response.text())}`;
}

function addressOf(operation, path) {
  const query = new URLSearchParams();
  let address = path;
  for (const input of operation.querySelectorAll('input[data-in]')) {
    if (input.dataset.in === 'path') address = address.replace(`{${input.name}}`, encodeURIComponent(input.value));
    else if (input.value !== '') query.append(input.name, input.value);
  }
  return query.size === 0 ? address : `${address}?${query}`;
}

function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
