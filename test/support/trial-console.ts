import { startConsoleHost } from './console-host.ts';
const host = await startConsoleHost();
console.log(host.url + host.console.issueLogin('operator', ['modules:manage']));
console.log(host.url + host.console.issueLogin('operator', ['modules:manage']));
console.log(host.url + host.console.issueLogin('reader', ['modules:read']));
setTimeout(async () => { await host.close(); process.exit(0); }, 400_000);
