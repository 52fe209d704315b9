import { describe, expect, it } from 'vitest';
import { createLoadingModule } from '../../runtime/modules/idle-module.ts';
import { Registry } from '../../runtime/modules/registry.ts';
import { fakeModule } from '../support/fake-modules.ts';

function registryOf(...prefixes: string[]): Registry {
  const registry = new Registry();
  for (const [index, prefix] of prefixes.entries()) {
    registry.add(fakeModule({ name: `module_${index}`, prefix, endpoints: {} }));
  }
  return registry;
}

describe('a registry', () => {
  it('finds a module by any path below its prefix, and by the prefix itself', () => {
    const registry = registryOf('/api/v1/weather');
    for (const path of ['/api/v1/weather', '/api/v1/weather/', '/api/v1/weather/bonn/today', '/api/v1/weather//x']) {
      expect(registry.find(path)?.name, path).toBe('module_0');
    }
  });

  it('does not take a longer name for a path below a shorter one', () => {
    const registry = registryOf('/api/v1/weather');
    for (const path of ['/api/v1/weathers', '/api/v1/weatherman/x', '/api/v1', '/api', '/', '', 'api/v1/weather']) {
      expect(registry.find(path), path).toBeUndefined();
    }
  });

  it('leaves the prefix with the module that has it, when another one failed over it', () => {
    const registry = registryOf('/api/v1/weather');
    registry.add(fakeModule({ name: 'thief', prefix: '/api/v1/weather', state: 'failed', endpoints: {} }));
    expect(registry.find('/api/v1/weather/x')?.name).toBe('module_0');
    expect(registry.list().map(({ name }) => name)).toEqual(['module_0', 'thief']);
  });

  it('has a failed module at its prefix when nobody else has it, so that it can say why', () => {
    const registry = new Registry();
    registry.add(fakeModule({ name: 'broken', prefix: '/api/v1/broken', state: 'failed', endpoints: {} }));
    expect(registry.find('/api/v1/broken/x')?.name).toBe('broken');
  });

  it.each(['failed', 'disabled'] as const)(
    'a %s module shadows nobody’s prefix, at it, above it or below it',
    (state) => {
      const registry = registryOf('/api/v1/weather/now');
      for (const prefix of ['/api/v1/weather', '/api/v1/weather/now', '/api/v1/weather/now/x']) {
        registry.add(fakeModule({ name: `off_${prefix.length}`, prefix, state, endpoints: {} }));
      }
      for (const path of ['/api/v1/weather/now', '/api/v1/weather/now/x', '/api/v1/weather/now/x/y']) {
        expect(registry.find(path)?.name, path).toBe('module_0');
      }
      expect(registry.find('/api/v1/weather/then')?.state).toBe(state);
    },
  );

  it('a disabled module gives its prefix up to whoever comes later', () => {
    const registry = new Registry();
    registry.add(fakeModule({ name: 'off', prefix: '/api/v1/a', state: 'disabled', endpoints: {} }));
    registry.add(fakeModule({ name: 'on', prefix: '/api/v1/a', endpoints: {} }));
    expect(registry.find('/api/v1/a')?.name).toBe('on');
  });

  it.each(['installed', 'sleeping', 'running'] as const)(
    'nobody takes a prefix, or what lies above or below it, from a module that is %s',
    (state) => {
      const registry = new Registry();
      registry.add(fakeModule({ name: 'weather', prefix: '/api/v1/my/weather', state, endpoints: {} }));
      for (const prefix of ['/api/v1/my/weather', '/api/v1/my', '/api/v1/my/weather/now']) {
        const evil = fakeModule({ name: 'evil', prefix, endpoints: {} });
        registry.add(createLoadingModule({ ...evil.manifest, api: { ...evil.manifest.api, prefix } }));
        registry.add(evil);
        registry.add(fakeModule({ name: 'evil', prefix, state: 'failed', endpoints: {} }));
        registry.add(evil);
        for (const path of ['/api/v1/my/weather', '/api/v1/my/weather/now/x']) {
          expect(registry.find(path)?.name, `${prefix} ${path}`).toBe('weather');
        }
        expect([registry.holdsPrefix('weather'), registry.holdsPrefix('evil')]).toEqual([true, false]);
        registry.remove('evil');
        expect(registry.find('/api/v1/my/weather')?.name).toBe('weather');
      }
    },
  );

  it('gives a prefix that its holder gives up to the one that came first of those that wait', () => {
    const registry = registryOf('/api/v1/a', '/api/v1/a/b', '/api/v1/a');
    registry.remove('module_0');
    expect(registry.find('/api/v1/a/b/c')?.name).toBe('module_1');
    registry.add(fakeModule({ name: 'module_1', prefix: '/api/v1/a/b', state: 'disabled', endpoints: {} }));
    expect(registry.find('/api/v1/a/b/c')?.name).toBe('module_2');
    // Enabled again: by now another one has it.
    registry.add(fakeModule({ name: 'module_1', prefix: '/api/v1/a/b', endpoints: {} }));
    expect(registry.find('/api/v1/a/b/c')?.name).toBe('module_2');
    registry.remove('module_2');
    expect([registry.find('/api/v1/a/b')?.name, registry.find('/api/v1/a')]).toEqual(['module_1', undefined]);
  });

  it('puts a module in place of the one that stood in for it', () => {
    const registry = new Registry();
    registry.add(createLoadingModule(fakeModule({ name: 'a', endpoints: {} }).manifest));
    registry.add(fakeModule({ name: 'a', state: 'failed', endpoints: {} }));
    expect(registry.list().map(({ state }) => state)).toEqual(['failed']);
    expect(registry.find('/api/v1/a')?.state).toBe('failed');
  });

  it('grows its revision with each change that routes depend on', () => {
    const registry = registryOf('/api/v1/a');
    const before = registry.revision;
    registry.add(fakeModule({ name: 'b', prefix: '/api/v1/b', endpoints: {} }));
    registry.touch();
    expect(registry.revision).toBe(before + 2);
  });

  it('tells who follows it which modules come and how their states change, until he stops', () => {
    const registry = new Registry();
    const heard: string[] = [];
    const stop = registry.onChange((module, from) => heard.push(`${module.name} ${module.version} ${from}`));
    const first = fakeModule({ name: 'a' });
    registry.add(first);
    registry.changed(first, 'sleeping');
    registry.add(fakeModule({ name: 'a', version: '2.0.0' }));
    // It drains, and nobody needs to know: another one has its place.
    registry.changed(first, 'running');
    stop();
    registry.add(fakeModule({ name: 'b' }));
    expect(heard).toEqual(['a 1.0.0 undefined', 'a 1.0.0 sleeping', 'a 2.0.0 undefined']);
  });

  it('keeps folders that are no modules apart, with their reasons', () => {
    const registry = registryOf();
    registry.addBroken({ name: 'junk', reasons: ['config.yaml is missing'] });
    expect(registry.list()).toEqual([]);
    expect(registry.broken).toEqual([{ name: 'junk', reasons: ['config.yaml is missing'] }]);
  });

  it('finds nothing under names that objects carry by themselves', () => {
    const registry = registryOf('/api/v1/weather');
    for (const path of ['/__proto__', '/constructor/x', '/api/v1/toString'])
      expect(registry.find(path)).toBeUndefined();
  });
});
