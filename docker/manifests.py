"""The files of this folder against their schemas, the server's options, and what pods must have."""

import json
import re
from pathlib import Path

from claims import claim, run

FOLDER = Path(__file__).resolve().parent
KUBERNETES = "1.37.0"
LINT = "{extends: default, rules: {line-length: {max: 120}, document-start: disable, braces: {max-spaces-inside: 1}, " \
       "comments: {min-spaces-from-content: 1}}}"


def check_files(bins):
    files = sorted(FOLDER.rglob("*.yaml"))
    done = run(bins / "yamllint", "-s", "-d", LINT, *files)
    claim(f"yamllint: {len(files)} files", done.returncode == 0, done.stdout)
    for name in ("compose.yaml", "compose.observability.yaml"):
        done = run(bins / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", FOLDER / name)
        claim(f"{name} fits the compose specification", done.returncode == 0, done.stdout if done.returncode else "")


def check_kubernetes(bins, work):
    for name in ("base", "sidecar", "tls"):
        built = run(bins / "kubectl", "kustomize", FOLDER / "kubernetes" / name)
        claim(f"kustomize builds {name}", built.returncode == 0, built.stderr)
        place = work / f"{name}.yaml"
        place.write_text(built.stdout)
        done = run(bins / "kubernetes-validate", "-k", KUBERNETES, "--strict", place)
        count = len(re.findall(" passed for resource ", done.stdout + done.stderr))
        claim(f"{name}: Kubernetes {KUBERNETES} takes its {count} resources", done.returncode == 0 and count > 2,
              done.stdout + done.stderr if done.returncode else "")
        loaded = run(bins / "python", "-c", "import json,sys,yaml; print(json.dumps(list(yaml.safe_load_all(sys.stdin))))",
                     input=built.stdout)
        check_pods(name, json.loads(loaded.stdout))


def check_pods(name, resources):
    """What kustomize can break and a schema does not see, and what the strictest pod security standard asks for."""
    pods = [r["spec"]["template"] for r in resources if r["kind"] in ("Deployment", "Job")]
    claim(f"{name}: one pod template", len(pods) == 1)
    pod, labels = pods[0]["spec"], pods[0]["metadata"]["labels"]
    claim(f"{name}: no token of the cluster, no links of services",
          pod["automountServiceAccountToken"] is False and pod["enableServiceLinks"] is False)
    claim(f"{name}: seccomp and a user that is not root", pod["securityContext"]["runAsNonRoot"] is True
          and pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"})
    containers = pod.get("initContainers", []) + pod["containers"]
    for container in containers:
        security = container["securityContext"]
        claim(f"{name}: {container['name']} has no capabilities and gains none, and its resources are named",
              security["capabilities"] == {"drop": ["ALL"]} and security["allowPrivilegeEscalation"] is False
              and {"requests", "limits"} <= set(container["resources"]))
        volumes = {v["name"] for v in pod["volumes"]}
        claim(f"{name}: {container['name']}'s mounts are volumes", {m["name"] for m in container["volumeMounts"]} <= volumes)
    server = next(c for c in containers if c["name"] == "perception")
    ports = {p["name"] for p in server["ports"]}
    probes = [server[p]["httpGet"] for p in ("startupProbe", "readinessProbe", "livenessProbe")]
    claim(f"{name}: a read-only root, probes on a port that is there",
          server["securityContext"]["readOnlyRootFilesystem"] is True and all(p["port"] in ports for p in probes))
    for resource in resources:
        spec = resource.get("spec", {})
        selector = {"Service": lambda: spec["selector"], "Deployment": lambda: spec["selector"]["matchLabels"],
                    "PodDisruptionBudget": lambda: spec["selector"]["matchLabels"],
                    "NetworkPolicy": lambda: spec["podSelector"]["matchLabels"]}.get(resource["kind"], dict)()
        if selector:
            claim(f"{name}: {resource['kind']}'s selector finds the pods", selector.items() <= labels.items())
    for policy in (r for r in resources if r["kind"] == "NetworkPolicy"):
        clients = [f["podSelector"]["matchLabels"] for i in policy["spec"]["ingress"] for f in i["from"] if "podSelector" in f]
        claim(f"{name}: clients need one label only", all(c == {"perception-client": "true"} for c in clients))


def check_names(binary):
    usage = run(binary, "serve", "--help").stdout
    known = {"PERCEPTION_" + o.upper().replace("-", "_") for o in re.findall(r"^ +--([a-z-]+)", usage, re.M)}
    known |= set(re.findall(r"PERCEPTION_[A-Z_]*[A-Z]", usage))
    for path in sorted(FOLDER.rglob("*.yaml")):
        text = path.read_text()
        # The trainer's own variables are not the server's.
        text = text.split("- name: trainer")[0] if path.name == "job.yaml" else text
        used = set(re.findall(r"PERCEPTION_[A-Z_]*[A-Z]", text))
        if used:
            claim(f"{path.relative_to(FOLDER)}: every variable is an option", used <= known, " ".join(used - known))
