// What `rollcall --help` says: a man page, made of the tables of settings and labels. Owns no setting and no label.
import { COMMANDS } from "./commands/names.ts";
import { LABELS } from "./registrator/labels.ts";
import { ALL_SETTINGS, flagOf, variableOf } from "./registrator/settings.ts";

const WIDTH = 80;

/** The whole page, in lines of at most 80 characters. */
export function manPage(version: string): string {
  return `ROLLCALL(1)

NAME
       rollcall - keeps in etcd which containers may get traffic

SYNOPSIS
       rollcall registrator [OPTION]...
       rollcall dashboard
       rollcall COMMAND [--help]
       rollcall --help | --version

DESCRIPTION
${
    paragraphs(
      "registrator, one for each Docker host, hears what Docker says, knocks on containers, and keeps in etcd, on a lease, a key for each instance that may get traffic: /services/<service>/<host>:<container>:<port>. nginx, or whoever else wants to know, watches these keys. Why an instance is or is not in rotation stands below /rollcall/status/.",
      "An instance comes into rotation when it answers, and leaves it at its stop signal, before it dies. What is wrong with one container is said in its status and concerns no other.",
    )
  }

${
    paragraphs(
      "dashboard serves a page that shows all of this, and which link of the chain is broken. It only reads. Its variables stand in discovery/dashboard/README.md.",
    )
  }

COMMANDS
${paragraphs("For people, beside the registrator. Each has a --help of its own.")}

${commands()}

OPTIONS
${paragraphs("Each may be written with one dash, as registrator's are, or with two.")}

${options()}

       --help, -h
${wrap("This page.", 14)}

       --version
${wrap("The version.", 14)}

ENVIRONMENT
${
    paragraphs(
      "Each option is also a variable, named beside it. An option beats its variable, and an empty variable is none. A variable ROLLCALL_* of another name is a mistake.",
    )
  }

LABELS
${
    paragraphs(
      "Of containers; as labels or as environment variables. SERVICE_<port>_X is for one port and beats SERVICE_X, a label beats a variable, an empty one is none. Every other SERVICE_X becomes an attr. A label SERVICE_<port>_NAME also declares a port that the image does not EXPOSE.",
    )
  }

${labels()}

EXIT STATUS
       0      Stopped by SIGTERM or SIGINT.
       1      etcd did not answer within --retry-attempts.
       2      Wrong options or variables; all of them are listed.

EXAMPLES
       The registrator of a host, next to nginx:

          rollcall registrator --etcd=http://etcd:2379 --network=rollcall_edge

       One of several hosts, whose published ports nginx reaches on 192.0.2.7:

          rollcall registrator -internal=false -ip 192.0.2.7 --host=web-1

       A service of a compose file:

          labels:
            SERVICE_NAME: shop
            SERVICE_CHECK_HTTP: /readyz
            SERVICE_CHECK_HTTP_STATUS: 200-299

SEE ALSO
       etcdctl(1), docker(1), nginx(8)

       etcdctl get --prefix /services      who is in rotation
       etcdctl get --prefix /rollcall      why, and who vouches for it

ROLLCALL ${version}`;
}

function options(): string {
  return [...ALL_SETTINGS].map(([name, { value, fallback, help }]) => {
    const flag = `--${flagOf(name)}${value === undefined ? "" : `=${value}`}`;
    const source = `${variableOf(name)}${fallback === "" ? "" : `, default ${fallback}`}`;
    return `       ${flag}  (${source})\n${wrap(help, 14)}`;
  }).join("\n\n");
}

function labels(): string {
  return Object.entries(LABELS).map(([key, help]) =>
    `       SERVICE_${key.toUpperCase()}\n${wrap(`${help[0]!.toUpperCase()}${help.slice(1)}.`, 14)}`
  ).join("\n\n");
}

function paragraphs(...texts: readonly string[]): string {
  return texts.map((text) => wrap(text, 7)).join("\n\n");
}

function wrap(text: string, indent: number): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trimStart();
    if (indent + longer.length <= WIDTH) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map((line) => " ".repeat(indent) + line).join("\n");
}

function commands(): string {
  return Object.entries(COMMANDS).map(([name, text]) => `       ${name.padEnd(12)}${text}`).join(
    "\n",
  );
}
