// Where etcd is and how to prove who asks, out of settings: the same for the registrator, the page and the commands.
import type { TlsFiles } from "./tls_files.ts";

/** Where etcd is, and how to prove who asks. */
export interface EtcdPlace {
  /** As in `http://etcd:2379`; one for each member of a cluster. */
  readonly endpoints: readonly string[];
  /** Only for `https:` endpoints. */
  readonly tls?: TlsFiles | undefined;
}

/** Settings that say it. Empty: none. */
export interface EtcdSettings {
  readonly etcd: readonly string[];
  readonly etcd_ca: string;
  readonly etcd_cert: string;
  readonly etcd_key: string;
}

/** What the settings say. */
export function etcdPlaceOf({ etcd, etcd_ca, etcd_cert, etcd_key }: EtcdSettings): EtcdPlace {
  return {
    endpoints: etcd,
    tls: etcd_cert === ""
      ? undefined
      : { ca: etcd_ca, cert: etcd_cert, key: etcd_key === "" ? undefined : etcd_key },
  };
}

/** How the settings contradict each other. */
export function etcdContradictions(settings: Partial<EtcdSettings>): readonly string[] {
  const { etcd = [], etcd_ca, etcd_cert, etcd_key } = settings;
  const problems: string[] = [];
  if ((etcd_ca === "") !== (etcd_cert === "")) {
    problems.push("etcd-ca and etcd-cert: only one of them is set, and each needs the other");
  }
  if (etcd_key && etcd_cert === "") problems.push("etcd-key: of no use without etcd-cert");
  for (const endpoint of etcd) {
    const { protocol, hostname } = new URL(endpoint);
    if (etcd_cert && protocol !== "https:") {
      problems.push(`etcd: '${endpoint}': with a certificate it has to begin with https://`);
    }
    if (protocol === "https:" && /^[\d.]+$|^\[/.test(hostname)) {
      problems.push(
        `etcd: '${endpoint}': with https:// etcd needs a name that stands in its certificate, not an address`,
      );
    }
  }
  return problems;
}
