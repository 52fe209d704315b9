export * from '../modules/permission.ts';
