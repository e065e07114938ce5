/* Rules between the parts of one value, by Kubernetes' terms: "exactly one of", "at most", "only with". They work on nodes, so that a
 * field is judged before podd can act on it; what is of the wrong type was said already and counts as absent. The rows of the table
 * name them. Rules over the whole decoded pod are in validate.c. */
#pragma once

struct decoder;
struct node;

void rule_unique_names(struct decoder *d, const struct node *n); /* a list of objects with a name */
void rule_labels(struct decoder *d, const struct node *n);       /* a map of labels */
void rule_forbidden(struct decoder *d, const struct node *n);

/* rules_container.c */
void rule_container(struct decoder *d, const struct node *n);
void rule_init_containers(struct decoder *d, const struct node *n);
void rule_env(struct decoder *d, const struct node *n);
void rule_env_source(struct decoder *d, const struct node *n);
void rule_env_from(struct decoder *d, const struct node *n);
void rule_field_env(struct decoder *d, const struct node *n);
void rule_resource_selector(struct decoder *d, const struct node *n);
void rule_mount(struct decoder *d, const struct node *n);
void rule_devices(struct decoder *d, const struct node *n);
void rule_one_handler(struct decoder *d, const struct node *n);
void rule_liveness(struct decoder *d, const struct node *n);
void rule_readiness(struct decoder *d, const struct node *n);
void rule_resize_policy(struct decoder *d, const struct node *n);
void rule_restart_rules(struct decoder *d, const struct node *n);
void rule_exit_codes(struct decoder *d, const struct node *n);
void rule_seccomp(struct decoder *d, const struct node *n);
void rule_app_armor(struct decoder *d, const struct node *n);

/* rules_volume.c */
void rule_one_volume_source(struct decoder *d, const struct node *n);
void rule_downward_file(struct decoder *d, const struct node *n);
void rule_field_file(struct decoder *d, const struct node *n);
void rule_resource_file(struct decoder *d, const struct node *n);
void rule_one_projection(struct decoder *d, const struct node *n);
void rule_projected_paths(struct decoder *d, const struct node *n);
void rule_trust_bundle(struct decoder *d, const struct node *n);
void rule_image_volume(struct decoder *d, const struct node *n);
void rule_claim_spec(struct decoder *d, const struct node *n);
void rule_iscsi(struct decoder *d, const struct node *n);
void rule_flocker(struct decoder *d, const struct node *n);
void rule_fc(struct decoder *d, const struct node *n);

/* rules_pod.c */
void rule_spec(struct decoder *d, const struct node *n);
void rule_dns_policy(struct decoder *d, const struct node *n);
void rule_dns_config(struct decoder *d, const struct node *n);
void rule_pod_claim(struct decoder *d, const struct node *n);
void rule_pod_resources(struct decoder *d, const struct node *n);
void rule_requirement(struct decoder *d, const struct node *n);
void rule_match_fields(struct decoder *d, const struct node *n);
void rule_toleration(struct decoder *d, const struct node *n);
void rule_topology_spread(struct decoder *d, const struct node *n);
void rule_topology_spreads(struct decoder *d, const struct node *n);
