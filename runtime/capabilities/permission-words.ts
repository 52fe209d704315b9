export * from '../modules/permission-words.ts';
