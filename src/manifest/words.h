/* The words of the API's enumerations, in the order of the C enums. */
#pragma once
#include "manifest/schema.h"

extern const struct enum_words protocol_words, http_scheme_words, pull_policy_words, message_policy_words, restart_policy_words,
	host_path_type_words, empty_dir_medium_words;
extern const struct enum_words resize_resource_words, resize_restart_words, profile_type_words, groups_policy_words,
	proc_mount_words, fs_group_policy_words;
extern const struct enum_words node_operator_words;
extern const struct enum_words container_restart_words, restart_action_words, exit_operator_words;
