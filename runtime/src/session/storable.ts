// Makes the type-checker refuse session data that JSON would alter: Date, Map, Set, bigint, functions, class instances.
// Change here what counts as storable; check() in data.ts does the same at run time.
import type { Json } from "./contract.ts";

/** `T` itself; or, where JSON can't hold it, a text that says which part of it, and that is no use as data. */
export type Storable<T> = [Unstorable<T>] extends [never] ? T : Unstorable<T>;

type Method = (...parameters: never[]) => unknown;
type IsAny<T> = 0 extends 1 & T ? true : false;
type Problem<Path extends string> =
  `${Path} in SessionData can't be stored as JSON: use text, a number, an array or a plain object`;

/** `Depth` ends the search in types that contain themselves. */
type Unstorable<T, Path extends string = "data", Depth extends 0[] = []> =
  IsAny<T> extends true
    ? never
    : T extends Json | undefined
      ? never
      : T extends bigint | symbol | Method
        ? Problem<Path>
        : Depth["length"] extends 6
          ? never
          : T extends readonly (infer Item)[]
            ? Unstorable<Item, `${Path}[]`, [...Depth, 0]>
            : T extends object
              ? UnstorableObject<T, Path, Depth>
              : never;

type UnstorableObject<T extends object, Path extends string, Depth extends 0[]> =
  IsInstance<T, Depth> extends true
    ? Problem<Path>
    : { [Key in keyof T & string]-?: Unstorable<T[Key], `${Path}.${Key}`, [...Depth, 0]> }[keyof T & string];

/** An object with methods is an instance of some class. SessionData itself is none: there, each key is named. */
type IsInstance<T, Depth extends 0[]> = Depth["length"] extends 0 ? false : MethodsOf<T> extends never ? false : true;

type MethodsOf<T> = {
  [Key in keyof T]-?: IsAny<T[Key]> extends true ? never : NonNullable<T[Key]> extends Method ? Key : never;
}[keyof T];
