/** `plexi doctor`: which layers of protection hold on this machine, and what that means. Needs no host, disturbs none. */
import { Command } from 'commander';
import { examine } from '../compose/doctor/examine.ts';
import type { Finding } from '../compose/doctor/finding.ts';
import { loadHostSettings } from '../config/load-host-settings.ts';
import { WIDTH } from './lines.ts';
import { DEFAULT_CONFIG, settingsFile } from './settings-file.ts';
import { showFindings } from './show-findings.ts';
import { HostError, UserError } from './user-error.ts';

interface DoctorFlags {
  readonly config?: string;
  readonly data?: string;
  readonly json?: boolean;
}

const CODES = `
Exit codes: 0 all that is essential holds, 1 something that a setting asks for does not
hold, 2 wrong usage, 3 this platform itself cannot hold it. What is "off" is a choice.`;

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Try each layer of protection on this machine: on or off, and what that means.')
    .option('--config <file>', `the settings of the host (default: ${DEFAULT_CONFIG}, if there is one)`)
    .option('--data <folder>', 'the data folder of the host (default: .plexi)')
    .option('--json', 'the same as JSON')
    .addHelpText('after', `${CODES}\n\nExamples:\n  $ plexi doctor\n  $ plexi doctor --config plexi.yaml --json`)
    .action(doctor);
}

async function doctor({ config, data, json }: DoctorFlags): Promise<void> {
  const { settings } = loadHostSettings({
    flags: { data },
    environment: process.env,
    file: settingsFile(config),
  });
  const groups = await examine(settings);
  const findings = groups.flatMap((group) => group.findings);
  process.stdout.write(json === true ? toJson(findings) : showFindings(groups, terminal()));
  judge(findings);
}

const NARROWEST = 60;

function terminal() {
  const { isTTY, columns = WIDTH } = process.stdout;
  const colour = isTTY === true && process.stdout.hasColors();
  return { width: isTTY === true ? Math.max(NARROWEST, Math.min(columns, WIDTH)) : WIDTH, colour };
}

function toJson(findings: readonly Finding[]): string {
  const { node, v8 } = process.versions;
  const machine = { platform: process.platform, arch: process.arch, node, v8 };
  return `${JSON.stringify({ machine, layers: findings }, null, 2)}\n`;
}

/** @throws UserError, HostError: their exit codes are the verdict */
function judge(findings: readonly Finding[]): void {
  const failures = findings.filter(({ state }) => state === 'failed');
  if (failures.length === 0) return;
  const names = failures.map(({ name }) => name).join(', ');
  const words = `Not protected as it should be: ${names}.`;
  throw failures.some(({ blame }) => blame === 'platform') ? new HostError(words) : new UserError(words);
}
