import { BaseModule } from '@plexichat/sdk';
import { createModuleHarness } from '@plexichat/sdk/testing';
import { describe, expect, it } from 'vitest';

interface Settings {
  readonly city: string;
  readonly days?: number;
}

class Weather extends BaseModule<Settings> {
  readonly seen: unknown[] = [];

  override onSettingsChanged(next: Settings, previous: Settings): void {
    if (next.city === 'nowhere') throw new Error('there is no such city');
    this.seen.push([previous.city, next.city, this.config.settings.city]);
  }
}

const start = () => createModuleHarness(Weather, { config: { settings: { city: 'Bonn', days: 3 } } });

describe('onSettingsChanged', () => {
  it('is told of the settings before and after, when they are in force', async () => {
    const harness = await start();
    expect(harness.declaration.settingsHook).toBe(true);
    const { config } = harness.module;
    await harness.changeSettings({ city: 'Ulm' });
    expect(harness.module.seen).toEqual([['Bonn', 'Ulm', 'Ulm']]);
    expect(config.settings).toMatchObject({ city: 'Ulm', days: 3, debug: false, log_level: 'INFO' });
  });

  it('that fails names itself', async () => {
    const harness = await start();
    await expect(harness.changeSettings({ city: 'nowhere' })).rejects.toThrow(
      'Weather.onSettingsChanged() failed: Error: there is no such city',
    );
  });

  it('may take its time', async () => {
    let done = false;
    class Slow extends BaseModule {
      override async onSettingsChanged(): Promise<void> {
        await Promise.resolve();
        done = true;
      }
    }
    const harness = await createModuleHarness(Slow);
    await harness.changeSettings({ a: 1 });
    expect(done).toBe(true);
  });

  it('is not declared by a module without it, which is started anew instead', async () => {
    class Plain extends BaseModule {}
    const harness = await createModuleHarness(Plain);
    expect(harness.declaration).not.toHaveProperty('settingsHook');
    await expect(harness.changeSettings({ a: 1 })).rejects.toThrow('Plain has no onSettingsChanged.');
  });

  it('leaves a config that nobody else can change', async () => {
    const harness = await start();
    await harness.changeSettings({ city: 'Ulm' });
    const { config } = harness.module;
    expect(() => Object.assign(config, { settings: {} })).toThrow(TypeError);
    expect(() => Object.assign(config.settings, { city: 'Bonn' })).toThrow(TypeError);
    expect(JSON.parse(JSON.stringify(config)).settings.city).toBe('Ulm');
  });
});
