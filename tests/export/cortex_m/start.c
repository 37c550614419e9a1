/* Where a Cortex-M begins: its first two words, the memory that C expects, main, and the end by semihosting. */
#include <stdint.h>
#include <stdlib.h>

extern uint32_t data_in_flash[], data_begin[], data_end[], bss_begin[], bss_end[], stack_top[];
int main(void);
#ifdef SEMIHOSTING
void initialise_monitor_handles(void);
#endif

void reset(void)
{
    uint32_t *from = data_in_flash, *to;
    for (to = data_begin; to < data_end; ++to)
        *to = *from++;
    for (to = bss_begin; to < bss_end; ++to)
        *to = 0;
#ifdef SEMIHOSTING
    initialise_monitor_handles();
    exit(main());
#else
    main();
    for (;;)
        ;
#endif
}

__attribute__((section(".vectors"), used)) static void *const vectors[2] = {stack_top, (void *)reset};
