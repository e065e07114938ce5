/* podctl completion: a script for the shell, made from the tables of verbs and options; pods and containers it asks podctl for. */
#include <stdio.h>
#include "base/str.h"
#include "ctl/ctl.h"

/* What is the same for all verbs. $asking: the options that say which podd is asked. */
static const char begin[] =
	"# podctl in bash, and through bashcompinit in zsh: source <(podctl completion bash)\n"
	"_podctl() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb= pod= i w options= words= kind=\n"
	"\tlocal asking=()\n"
	"\tCOMPREPLY=()\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tw=${COMP_WORDS[i]}\n"
	"\t\tcase $w in\n"
	"\t\t--) return ;;\n"
	"\t\t--root|--socket|-n|--namespace) asking+=(\"$w\" \"${COMP_WORDS[i + 1]}\") ;;\n"
	"\t\tesac\n";
static const char middle[] = "\t\t-*) ;;\n"
			     "\t\tpod|pods|po) [ -n \"$verb\" ] || verb=$w ;;\n"
			     "\t\t*) if [ -z \"$verb\" ]; then verb=$w; else pod=${pod:-$w}; fi ;;\n"
			     "\t\tesac\n"
			     "\tdone\n"
			     "\tcase $verb in\n";
static const char end[] =
	"\tesac\n"
	"\tcase $prev in\n"
	"\t-c|--container)\n"
	"\t\t[ -z \"$pod\" ] || words=$(podctl \"${asking[@]}\" get pod \"$pod\" -o 'jsonpath={.spec.initContainers[*].name} "
	"{.spec.containers[*].name} {.spec.ephemeralContainers[*].name}' "
	"2>/dev/null)\n"
	"\t\toptions= kind= ;;\n"
	"\t-o|--output) words='wide json yaml name jsonpath= custom-columns=' options= kind= ;;\n"
	"\t--target) [ -z \"$pod\" ] || words=$(podctl \"${asking[@]}\" get pod \"$pod\" -o 'jsonpath={.spec.containers[*].name}' "
	"2>/dev/null); options= kind= ;;\n"
	"\t--profile) words='general baseline restricted netadmin sysadmin' options= kind= ;;\n"
	"\t--for) words='ready completed failed deleted' options= kind= ;;\n"
	"\t-f|--filename|--root|--socket|--manifests) [ \"$prev$verb\" = -flogs ] || [ \"$prev$verb\" = -fevents ] || return ;;\n"
	"\tesac\n"
	"\tcase $cur in\n"
	"\t-*) words=$options ;;\n"
	"\t*) [ \"$kind\" != pods ] || words=\"$words $(podctl \"${asking[@]}\" get pods -o 'jsonpath={.items[*].metadata.name}' "
	"2>/dev/null)\" ;;\n"
	"\tesac\n"
	"\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	"}\n"
	"complete -o default -F _podctl podctl\n";

/* "-n|--namespace|..." : options whose value is the next word. */
static void print_valued(void)
{
	bool first = true;

	(void)printf("\t\tcase $w in\n\t\t");
	for (enum option o = 0; o < OPTION_MAX; o++) {
		struct option_name n = args_option(o);
		/* -f is a flag of some verbs: what follows is then taken for a file name, which does no harm */
		if (!n.value || n.letter == 'f')
			continue;
		(void)printf("%s--%s", first ? "" : "|", n.name);
		if (n.letter)
			(void)printf("|-%c", n.letter);
		first = false;
	}
	(void)printf(") i=$((i + 1)) ;;\n");
}

static void print_verb(const struct verb *v)
{
	const char *kind = v->words && strstr(v->words, "@pods") ? "pods" : "";

	(void)printf("\t%s)\n\t\toptions='--help", v->name);
	for (enum option o = 0; o < OPTION_MAX; o++)
		if (v->options & TAKES(o)) {
			struct option_name n = args_option(o);
			(void)printf(" --%s", n.name);
			if (n.letter)
				(void)printf(" -%c", n.letter);
		}
	(void)printf("' words='%.*s' kind=%s ;;\n", v->words ? (int)strcspn(v->words, "@") : 0, v->words ? v->words : "", kind);
}

int verb_completion(const struct args *a)
{
	size_t count;
	const struct verb *verbs = ctl_verbs(&count);
	const char *shell = a->word_count == 1 ? a->words[0] : "";

	if (!streq(shell, "bash") && !streq(shell, "zsh"))
		return ctl_fail(CTL_USAGE, "completion bash or zsh: source <(podctl completion bash)");
	if (streq(shell, "zsh"))
		(void)puts("autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit");
	(void)fputs(begin, stdout);
	print_valued();
	(void)fputs(middle, stdout);
	for (size_t i = 0; i < count; i++)
		print_verb(&verbs[i]);
	(void)printf("\t'') options='--help --root --socket' words='help");
	for (size_t i = 0; i < count; i++)
		(void)printf(" %s", verbs[i].name);
	(void)puts("' ;;");
	(void)fputs(end, stdout);
	return CTL_YES;
}
