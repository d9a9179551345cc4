"""Checks what kustomize has built: the schemas of Kubernetes, what every pod must say, and that selectors meet somebody.

    check.py RULES OVERLAY.yaml...

RULES: a folder for the alert rules and the dashboard's queries, as promtool reads them.
"""

import json
import re
import sys
from pathlib import Path

import kubernetes_validate
import yaml

# The oldest that the manifests are written for, and the newest that the schemas know.
VERSIONS = ["1.32", kubernetes_validate.latest_version()]
# Kinds of the Prometheus operator, of which there is no schema here.
WITHOUT_SCHEMA = {"PrometheusRule", "ServiceMonitor"}
WORKLOADS = {"StatefulSet", "Deployment", "CronJob"}
# A grafana variable, and something that stands for it.
VARIABLES = {"$__rate_interval": "5m", "$job": ".*"}


def named(resource):
    return f"{resource['kind']} {resource['metadata']['name']}"


def against_schemas(resource):
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(resource, version, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            if resource["kind"] not in WITHOUT_SCHEMA:
                yield f"{named(resource)}: no schema in {version}"
        except kubernetes_validate.ValidationError as error:
            path = ".".join(str(part) for part in error.path)
            yield f"{named(resource)}: {version}: {path}: {error.message}"


def template(resource):
    spec = resource["spec"]
    return (spec["jobTemplate"]["spec"] if resource["kind"] == "CronJob" else spec)["template"]


def of_a_container(container):
    security = container.get("securityContext", {})
    resources = container.get("resources", {})
    yield "its image has no fixed tag", not re.search(r"(:(?!latest$)[\w.-]+|@sha256:\w+)$", container["image"])
    yield "its root file system can be written", security.get("readOnlyRootFilesystem") is not True
    yield "it may gain privileges", security.get("allowPrivilegeEscalation") is not False
    yield "it keeps capabilities", security.get("capabilities", {}) != {"drop": ["ALL"]}
    yield "it requests nothing", {"cpu", "memory"} - resources.get("requests", {}).keys()
    yield "its memory has no limit", "memory" not in resources.get("limits", {})
    for variable in container.get("env", []):
        is_plain = re.search("(?i)password|secret|token|database", variable["name"]) and "value" in variable
        yield f"{variable['name']} is written down", is_plain


def of_a_pod(resource):
    pod = template(resource)["spec"]
    security = pod.get("securityContext", {})
    yield "it may run as root", security.get("runAsNonRoot") is not True or not security.get("runAsUser")
    yield "it has no seccomp profile", security.get("seccompProfile") != {"type": "RuntimeDefault"}
    yield "it is given a token", pod.get("automountServiceAccountToken") is not False
    volumes = {volume["name"] for volume in pod.get("volumes", [])}
    volumes |= {claim["metadata"]["name"] for claim in resource["spec"].get("volumeClaimTemplates", [])}
    for container in pod.get("initContainers", []) + pod["containers"]:
        yield from of_a_container(container)
        mounted = {mount["name"] for mount in container.get("volumeMounts", [])}
        yield f"volumes {mounted - volumes} are not there", mounted - volumes
        if resource["kind"] != "CronJob":
            probes = ["startupProbe", "livenessProbe", "readinessProbe"]
            paths = [container.get(probe, {}).get("httpGet", {}).get("path") for probe in probes]
            yield "its probes ask for something else", paths != ["/healthz", "/healthz", "/readyz"]
    if resource["kind"] != "CronJob":
        yield "nobody says how long it may take to end", "terminationGracePeriodSeconds" not in pod


def selectors(resource):
    """The labels that a resource looks for on pods."""
    spec, kind = resource.get("spec", {}), resource["kind"]
    if kind == "Service":
        return spec.get("selector")
    if kind == "NetworkPolicy":
        return spec["podSelector"].get("matchLabels")
    if kind in {"PodDisruptionBudget", "StatefulSet", "Deployment"}:
        return spec["selector"]["matchLabels"]
    return None


def within(resources):
    """What is wrong within one overlay."""
    pods = [template(one)["metadata"]["labels"] for one in resources if one["kind"] in WORKLOADS]
    for resource in resources:
        yield from against_schemas(resource)
        wanted = selectors(resource)
        if wanted and not any(wanted.items() <= labels.items() for labels in pods):
            yield f"{named(resource)} selects no pod"
        if resource["kind"] == "Secret":
            yield f"{named(resource)}: secrets are named, never written down"
        if resource["kind"] in WORKLOADS:
            yield from (f"{named(resource)}: {what}" for what, is_wrong in of_a_pod(resource) if is_wrong)


def rules(resources, folder):
    """Alert rules, and the dashboard's queries as rules, for promtool."""
    for resource in resources:
        if resource["kind"] == "PrometheusRule":
            (folder / "alerts.rules.yaml").write_text(yaml.safe_dump(resource["spec"]))
        for name, text in (resource.get("data") or {}).items() if resource["kind"] == "ConfigMap" else []:
            if name.endswith(".json"):
                queries = [expr.group(1) for expr in re.finditer(r'"expr": ("(?:[^"\\]|\\.)*")', text)]
                group = {"name": "dashboard", "rules": [rule(json.loads(query)) for query in dict.fromkeys(queries)]}
                (folder / "dashboard.rules.yaml").write_text(yaml.safe_dump({"groups": [group]}))
                print(f"{len(group['rules'])} queries of the dashboard")


def rule(query):
    for variable, value in VARIABLES.items():
        query = query.replace(variable, value)
    return {"record": "dashboard:" + re.sub(r"\W", "_", query), "expr": query}


def main():
    folder, overlays = Path(sys.argv[1]), [Path(path) for path in sys.argv[2:]]
    wrong = []
    for overlay in overlays:
        resources = [resource for resource in yaml.safe_load_all(overlay.read_text()) if resource]
        wrong += [f"{overlay.stem}: {what}" for what in within(resources)]
        rules(resources, folder)
        print(f"{overlay.stem}: {len(resources)} resources against Kubernetes {' and '.join(VERSIONS)}")
    print(f"left out: schemas of {', '.join(sorted(WITHOUT_SCHEMA))} (the Prometheus operator's)")
    print("\n".join(wrong), file=sys.stderr)
    sys.exit(1 if wrong else 0)


main()
