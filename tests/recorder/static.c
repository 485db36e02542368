/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* static: a program without a loader, into which nothing can be preloaded. */
int main(void)
{
	return 0;
}
