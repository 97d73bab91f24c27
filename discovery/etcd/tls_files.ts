// The files that prove to etcd who asks, and to us that it is etcd. Owns no connection, and keeps nothing that it reads.
import { X509Certificate } from "node:crypto";

/** PEM files. They may be replaced at any time, by rename. */
export interface TlsFiles {
  /** Whom to believe that it is etcd. */
  readonly ca: string;
  /** Our own certificate; together with its key, as `./scripts/certs` writes it. */
  readonly cert: string;
  /** The key, where it is a file of its own. */
  readonly key?: string | undefined;
}

/** What etcd3 wants. */
export interface TlsCredentials {
  readonly rootCertificate: Buffer;
  readonly privateKey: Buffer;
  readonly certChain: Buffer;
}

/** A file is missing or not what it should be; the message names it and says what to do. */
export class TlsError extends Error {
  override readonly name = "TlsError";
}

/** Reads them. Throws a TlsError. */
export function readTls({ ca, cert, key }: TlsFiles): TlsCredentials {
  const certChain = read(cert, "CERTIFICATE");
  return {
    rootCertificate: read(ca, "CERTIFICATE"),
    certChain,
    privateKey: key === undefined ? read(cert, "PRIVATE KEY") : read(key, "PRIVATE KEY"),
  };
}

/** Another one when any of the files is another one. Throws a TlsError when one is not there. */
export function tlsStamp({ ca, cert, key = cert }: TlsFiles): string {
  return [ca, cert, key].map((file) => {
    const { ino, mtime, size } = stat(file);
    return `${ino} ${mtime?.getTime()} ${size}`;
  }).join();
}

/** Until when our own certificate is good. */
export function validUntil({ cert }: TlsFiles): Date {
  const text = read(cert, "CERTIFICATE").toString();
  const [own] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(text) ?? [];
  try {
    return new Date(new X509Certificate(own ?? "").validTo);
  } catch (cause) {
    throw new TlsError(`Cannot use ${cert}: ${(cause as Error).message}. ${REMEDY}`, { cause });
  }
}

function read(file: string, kind: string): Buffer {
  const bytes = tried(file, () => Deno.readFileSync(file));
  if (!new RegExp(`^-----BEGIN (\\w+ )?${kind}-----`, "m").test(new TextDecoder().decode(bytes))) {
    throw new TlsError(`Cannot use ${file}: there is no ${kind} in it. ${REMEDY}`);
  }
  return Buffer.from(bytes);
}

function stat(file: string): Deno.FileInfo {
  return tried(file, () => Deno.statSync(file));
}

function tried<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new TlsError(`Cannot read ${file}: ${(cause as Error).message}. ${REMEDY}`, { cause });
  }
}

const REMEDY = "`./scripts/certs` makes the certificates.";
