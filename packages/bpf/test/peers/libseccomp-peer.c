/*
 * libseccomp as a peer: reads filters, one command a line, and answers with the program it makes of each.
 *
 *   begin DEFAULT OPTIMIZE      default action in hex; 1 priority tree (its default), 2 binary tree
 *   arch TOKEN                  audit number in hex; the native one is dropped unless it is named
 *   rule ACTION NAME N {INDEX OP A B}*   as in struct scmp_arg_cmp, decimal
 *   end                         -> "program HEX" or "error RC WHERE"
 *   resolve TOKEN NAME          -> "number NR"
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void export_program(scmp_filter_ctx ctx)
{
	unsigned char byte;
	int fd = memfd_create("program", 0);
	int rc = seccomp_export_bpf(ctx, fd);

	if (rc != 0) {
		printf("error %d export\n", rc);
	} else {
		printf("program ");
		lseek(fd, 0, SEEK_SET);
		FILE *file = fdopen(dup(fd), "r");
		while (fread(&byte, 1, 1, file) == 1)
			printf("%02x", byte);
		fclose(file);
		printf("\n");
	}
	close(fd);
}

int main(void)
{
	static char line[65536];
	scmp_filter_ctx ctx = NULL;
	int failed = 0, native_named = 0;
	char where[128] = "";

	while (fgets(line, sizeof(line), stdin) != NULL) {
		char *command = strtok(line, " \n");
		if (command == NULL)
			continue;
		if (strcmp(command, "resolve") == 0) {
			uint32_t token = strtoul(strtok(NULL, " \n"), NULL, 16);
			printf("number %d\n", seccomp_syscall_resolve_name_arch(token, strtok(NULL, " \n")));
		} else if (strcmp(command, "begin") == 0) {
			ctx = seccomp_init(strtoul(strtok(NULL, " \n"), NULL, 16));
			failed = ctx == NULL ? -1 : 0;
			native_named = 0;
			int optimize = atoi(strtok(NULL, " \n"));
			if (ctx != NULL)
				seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, optimize);
		} else if (strcmp(command, "arch") == 0) {
			uint32_t token = strtoul(strtok(NULL, " \n"), NULL, 16);
			if (token == seccomp_arch_native()) {
				native_named = 1;
			} else if (failed == 0) {
				failed = seccomp_arch_add(ctx, token);
				snprintf(where, sizeof(where), "arch-%x", token);
			}
		} else if (strcmp(command, "rule") == 0) {
			struct scmp_arg_cmp args[8];
			uint32_t action = strtoul(strtok(NULL, " \n"), NULL, 16);
			char *name = strtok(NULL, " \n");
			unsigned int count = atoi(strtok(NULL, " \n"));
			for (unsigned int i = 0; i < count && i < 8; i++) {
				args[i].arg = atoi(strtok(NULL, " \n"));
				args[i].op = atoi(strtok(NULL, " \n"));
				args[i].datum_a = strtoull(strtok(NULL, " \n"), NULL, 10);
				args[i].datum_b = strtoull(strtok(NULL, " \n"), NULL, 10);
			}
			int nr = seccomp_syscall_resolve_name(name);
			if (failed == 0 && nr != __NR_SCMP_ERROR) {
				failed = seccomp_rule_add_array(ctx, action, nr, count, args);
				if (failed != 0)
					snprintf(where, sizeof(where), "rule-%s", name);
			}
		} else if (strcmp(command, "end") == 0) {
			if (failed == 0 && !native_named) {
				failed = seccomp_arch_remove(ctx, seccomp_arch_native());
				snprintf(where, sizeof(where), "native");
			}
			if (failed != 0)
				printf("error %d %s\n", failed, where);
			else
				export_program(ctx);
			if (ctx != NULL)
				seccomp_release(ctx);
			ctx = NULL;
		}
		fflush(stdout);
	}
	return 0;
}
