/* net_host: the firmware's network side without the rest of the board. */
#ifndef WIPY_TESTS_NETHOST_H
#define WIPY_TESTS_NETHOST_H

struct volumes;

struct volumes *volumes_over_folder(const char *root);

#endif
