/* What a scheduler reads. Which machines a pod is for holds here, too; beside which pods is judged, without effect. */
#include "manifest/schema_rows.h"

static const struct field selector_requirement_fields[] = {
	NO_OP("key", STRING, "Key of the label.", .required = true, .check = check_qualified_text),
	NO_OP("operator", STRING, "How it is compared.", .required = true, .choices = "In|NotIn|Exists|DoesNotExist"),
	NO_OP("values", STRINGS, "What it is compared with.", .check = check_label_text),
};
static const struct schema schema_selector_requirement =
	SCHEMA("LabelSelectorRequirement", selector_requirement_fields, 0, .rule = rule_requirement);

static const struct field label_selector_fields[] = {
	NO_OP("matchLabels", MAP, "Labels that must be so.", .rule = rule_labels),
	NO_OP("matchExpressions", OBJECTS, "Labels that must meet these.", .object = &schema_selector_requirement),
};
const struct schema schema_label_selector = SCHEMA("LabelSelector", label_selector_fields, 0);

static const struct field node_requirement_fields[] = {
	BUILT("key", STRING, SHOULD, node_requirement, key, UPDATE, "Key of the label.", .required = true,
	      .check = check_qualified_text),
	BUILT("operator", ENUM, SHOULD, node_requirement, op, UPDATE,
	      "How it is compared: In, NotIn, Exists, DoesNotExist, Gt or Lt.", .required = true, .values = &node_operator_words),
	BUILT("values", STRINGS, SHOULD, node_requirement, values, UPDATE, "What it is compared with."),
};
static const struct schema schema_node_requirement =
	SCHEMA("NodeSelectorRequirement", node_requirement_fields, sizeof(struct node_requirement), .rule = rule_requirement);

static const struct field node_term_fields[] = {
	BUILT("matchExpressions", OBJECTS, SHOULD, node_term, labels, UPDATE, "What its labels must be like.",
	      .object = &schema_node_requirement),
	BUILT("matchFields", OBJECTS, SHOULD, node_term, fields, UPDATE, "What its name must be like.",
	      .object = &schema_node_requirement, .rule = rule_match_fields),
};
static const struct schema schema_node_term = SCHEMA("NodeSelectorTerm", node_term_fields, sizeof(struct node_term));

static const struct field node_selector_fields[] = {
	BUILT("nodeSelectorTerms", OBJECTS, SHOULD, node_selector, terms, UPDATE, "One of them must hold.", .required = true,
	      .object = &schema_node_term),
};
static const struct schema schema_node_selector =
	SCHEMA("NodeSelector", node_selector_fields, sizeof(struct node_selector), .starts_with_set = true);

static const struct field preferred_node_fields[] = {
	NO_OP("weight", INT32, "How much it counts, 1 to 100.", .required = true, .check = check_weight),
	NO_OP("preference", OBJECT, "What the machine should be like.", .required = true, .object = &schema_node_term),
};
static const struct schema schema_preferred_node = SCHEMA("PreferredSchedulingTerm", preferred_node_fields, 0);

#define REQUIRED_TERMS "requiredDuringSchedulingIgnoredDuringExecution"
#define PREFERRED_TERMS "preferredDuringSchedulingIgnoredDuringExecution"

static const struct field node_affinity_fields[] = {
	BUILT(REQUIRED_TERMS, OBJECT, SHOULD, node_affinity, required, NONE, "What the machine must be like.",
	      .object = &schema_node_selector),
	NO_OP(PREFERRED_TERMS, OBJECTS, "What the machine should be like.", .object = &schema_preferred_node),
};
static const struct schema schema_node_affinity = SCHEMA("NodeAffinity", node_affinity_fields, sizeof(struct node_affinity));

static const struct field pod_term_fields[] = {
	NO_OP("labelSelector", LABEL_SELECTOR, "Labels of the other pods.", .object = &schema_label_selector),
	NO_OP("namespaces", STRINGS, "Namespaces of the other pods.", .check = check_label_name),
	NO_OP("topologyKey", STRING, "What counts as one place.", .required = true, .check = check_qualified_text),
	NO_OP("namespaceSelector", LABEL_SELECTOR, "Labels of their namespaces.", .object = &schema_label_selector),
	NO_OP("matchLabelKeys", STRINGS, "Labels that must agree with this pod's.", .check = check_qualified_text),
	NO_OP("mismatchLabelKeys", STRINGS, "Labels that must not agree.", .check = check_qualified_text),
};
static const struct schema schema_pod_term = SCHEMA("PodAffinityTerm", pod_term_fields, 0);

static const struct field weighted_pod_term_fields[] = {
	NO_OP("weight", INT32, "How much it counts, 1 to 100.", .required = true, .check = check_weight),
	NO_OP("podAffinityTerm", OBJECT, "Which pods.", .required = true, .object = &schema_pod_term),
};
static const struct schema schema_weighted_pod_term = SCHEMA("WeightedPodAffinityTerm", weighted_pod_term_fields, 0);

static const struct field pod_affinity_fields[] = {
	NO_OP(REQUIRED_TERMS, OBJECTS, "Pods it must be beside.", .object = &schema_pod_term),
	NO_OP(PREFERRED_TERMS, OBJECTS, "Pods it should be beside.", .object = &schema_weighted_pod_term),
};
static const struct schema schema_pod_affinity = SCHEMA("PodAffinity", pod_affinity_fields, 0);

static const struct field pod_anti_affinity_fields[] = {
	NO_OP(REQUIRED_TERMS, OBJECTS, "Pods it must be away from.", .object = &schema_pod_term),
	NO_OP(PREFERRED_TERMS, OBJECTS, "Pods it should be away from.", .object = &schema_weighted_pod_term),
};
static const struct schema schema_pod_anti_affinity = SCHEMA("PodAntiAffinity", pod_anti_affinity_fields, 0);

static const struct field affinity_fields[] = {
	BUILT("nodeAffinity", OBJECT, SHOULD, affinity, node, NONE, "Which machines.", .object = &schema_node_affinity),
	NO_OP("podAffinity", OBJECT, "Beside which pods.", .object = &schema_pod_affinity),
	NO_OP("podAntiAffinity", OBJECT, "Away from which pods.", .object = &schema_pod_anti_affinity),
};
const struct schema schema_affinity = SCHEMA("Affinity", affinity_fields, sizeof(struct affinity));

static const struct field toleration_fields[] = {
	NO_OP("key", STRING, "Key of the taint.", .check = check_qualified_text),
	NO_OP("operator", STRING, "How it is compared.", .choices = "|Equal|Exists|Lt|Gt"),
	NO_OP("value", STRING, "Value of the taint."),
	NO_OP("effect", STRING, "Effect of the taint.", .choices = "|NoSchedule|PreferNoSchedule|NoExecute"),
	NO_OP("tolerationSeconds", INT64, "For how long."),
};
const struct schema schema_toleration = SCHEMA("Toleration", toleration_fields, 0, .rule = rule_toleration);

static const struct field topology_spread_fields[] = {
	NO_OP("maxSkew", INT32, "How uneven it may get.", .required = true, .check = check_positive_number),
	NO_OP("topologyKey", STRING, "What counts as one place.", .required = true, .check = check_qualified_text),
	NO_OP("whenUnsatisfiable", STRING, "What to do otherwise.", .required = true, .choices = "DoNotSchedule|ScheduleAnyway"),
	NO_OP("labelSelector", LABEL_SELECTOR, "Pods that are counted.", .object = &schema_label_selector),
	NO_OP("minDomains", INT32, "Least number of places.", .check = check_positive_number),
	NO_OP("nodeAffinityPolicy", STRING, "Whether the affinity counts.", .choices = "Honor|Ignore"),
	NO_OP("nodeTaintsPolicy", STRING, "Whether taints count.", .choices = "Honor|Ignore"),
	NO_OP("matchLabelKeys", STRINGS, "Labels that must agree with this pod's.", .check = check_qualified_text),
};
const struct schema schema_topology_spread =
	SCHEMA("TopologySpreadConstraint", topology_spread_fields, 0, .rule = rule_topology_spread);
