# SPDX-License-Identifier: Apache-2.0
#
# Alinx AX7Z035
#
# DDR3: two 256M x 16 chips at the processor, 32 bits, 1 GiB. Memory, delays and MIO as in the
# vendor's examples (alinxalinx/AX7Z035B_2023.1); check them against the revision of your board.

set board {
    title     {Alinx AX7Z035}
    part      xc7z035ffg676-2
    ddr_range 1G
    ps7 {
        PCW_PRESET_BANK0_VOLTAGE            {LVCMOS 3.3V}
        PCW_PRESET_BANK1_VOLTAGE            {LVCMOS 1.8V}
        PCW_UIPARAM_DDR_PARTNO              {MT41J256M16 RE-125}
        PCW_UIPARAM_DDR_BUS_WIDTH           {32 Bit}
        PCW_UIPARAM_DDR_USE_INTERNAL_VREF   0
        PCW_UIPARAM_DDR_TRAIN_WRITE_LEVEL   1
        PCW_UIPARAM_DDR_TRAIN_READ_GATE     1
        PCW_UIPARAM_DDR_TRAIN_DATA_EYE      1
        PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_0  0.0
        PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_1  0.0
        PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_2  0.0
        PCW_UIPARAM_DDR_DQS_TO_CLK_DELAY_3  0.0
        PCW_UIPARAM_DDR_BOARD_DELAY0        0.25
        PCW_UIPARAM_DDR_BOARD_DELAY1        0.25
        PCW_UIPARAM_DDR_BOARD_DELAY2        0.25
        PCW_UIPARAM_DDR_BOARD_DELAY3        0.25
        PCW_QSPI_PERIPHERAL_ENABLE          1
        PCW_QSPI_QSPI_IO                    {MIO 1 .. 6}
        PCW_QSPI_GRP_IO1_ENABLE             1
        PCW_QSPI_GRP_IO1_IO                 {MIO 0 9 .. 13}
        PCW_QSPI_GRP_FBCLK_ENABLE           1
        PCW_QSPI_GRP_FBCLK_IO               {MIO 8}
        PCW_UART0_PERIPHERAL_ENABLE         1
        PCW_UART0_UART0_IO                  {MIO 14 .. 15}
        PCW_SD0_PERIPHERAL_ENABLE           1
        PCW_SD0_SD0_IO                      {MIO 40 .. 45}
        PCW_SD1_PERIPHERAL_ENABLE           1
        PCW_SD1_SD1_IO                      {MIO 46 .. 51}
        PCW_SDIO_PERIPHERAL_FREQMHZ         100
        PCW_ENET0_PERIPHERAL_ENABLE         1
        PCW_ENET0_ENET0_IO                  {MIO 16 .. 27}
        PCW_ENET0_GRP_MDIO_ENABLE           1
        PCW_ENET0_GRP_MDIO_IO               {MIO 52 .. 53}
        PCW_USB0_PERIPHERAL_ENABLE          1
        PCW_USB0_USB0_IO                    {MIO 28 .. 39}
        PCW_USB0_RESET_ENABLE               1
        PCW_USB0_RESET_IO                   {MIO 7}
        PCW_GPIO_MIO_GPIO_ENABLE            1
    }
}
