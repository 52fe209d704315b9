export * from '../modules/permission-cover.ts';
