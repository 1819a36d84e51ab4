; The maze of the paper as a cartridge for the Atari 2600: 2,048 bytes.
;
; The maze has n = 5 cells from the hazard to the star and epsilon = 1/5:
;
;     row 0   # # # # # G # #     G goal
;     row 1   # . > > > * W #     * star, W exit, > a cell that pays 1 when it is entered
;     row 2   I @ # # # F # #     I start, @ hazard, F trap
;     row 3   # . > > > * W #
;     row 4   # # # # # # # #
;
; One agent step of four frames is one step of the decision process: a pressed direction acts in
; the first frame in which the stick is obeyed, and the stick is then ignored for three frames.
; The program asks no counter of frames, so that it cannot fall out of step with the agent.
;
; The logic runs right after the vertical sync, where an emulator's frame begins: the picture and
; the RAM of a frame then show the same state. The emulator's side reads the bytes Row to Over; it
; finds rewards as differences of Pluses and End.
;
; Timing matters in two places. A frame has 262 lines (page Kernel and the two timers), and the
; stores of a line must end at the cycles written beside them: a line has 76 cycles, 22.7 of them
; before the first pixel, and three pixels pass in a cycle.

        processor 6502

; ---- The video chip ------------------------------------------------------------------------------

VSYNC   = $00                   ; vertical sync: bit 1
VBLANK  = $01                   ; beam off: bit 1
WSYNC   = $02                   ; waits for the end of the line
NUSIZ0  = $04                   ; width of sprite 0
NUSIZ1  = $05                   ; width of sprite 1
COLUP0  = $06                   ; colour of sprite 0
COLUP1  = $07                   ; colour of sprite 1
COLUPF  = $08                   ; colour of the playfield
PF0     = $0D                   ; playfield, its 4 pixels from bit 4 to bit 7
PF1     = $0E                   ; playfield, its 8 pixels from bit 7 to bit 0
PF2     = $0F                   ; playfield, its 8 pixels from bit 0 to bit 7
RESP0   = $10                   ; places sprite 0 at the beam
GRP0    = $1B                   ; line of sprite 0
GRP1    = $1C                   ; line of sprite 1
HMP0    = $20                   ; fine movement of sprite 0
HMOVE   = $2A                   ; moves the sprites finely
HMCLR   = $2B                   ; forgets the fine movements
INPT4   = $3C                   ; FIRE: bit 7, 0 if pressed

; ---- The chip with RAM, ports and timer ----------------------------------------------------------

SWCHA   = $0280                 ; stick: bit 7 right, 6 left, 5 down, 4 up; 0 if pressed
SWCHB   = $0282                 ; switches: bit 0 RESET, 0 if pressed; bit 6 left difficulty, 1 is A
INTIM   = $0284                 ; the timer
TIM64T  = $0296                 ; sets the timer, which falls every 64 cycles

; ---- RAM -----------------------------------------------------------------------------------------

RandLo  = $80                   ; the random register. It is never cleared: its first content is
RandHi  = $81                   ;   what the RAM holds when the console is switched on
Row     = $82                   ; the agent's row, 0 to 3
Column  = $83                   ; the agent's column, 0 to 6
Pluses  = $84                   ; rewards of 1 in this episode
End     = $85                   ; 0 running, 1 exit, 2 goal, 3 trap
Lock    = $86                   ; frames for which the stick is ignored
Over    = $87                   ; 1 if the game is over
Held    = $88                   ; not 0 from a move until the stick is released
Stick   = $89                   ; the stick, inverted: 1 if pressed
Ptr0    = $8A                   ; addresses of the agent's shape in rows 0 to 3, or of nothing
Ptr1    = $8C
Ptr2    = $8E
Ptr3    = $90

; ---- Constants -----------------------------------------------------------------------------------

UP      = $10                   ; bit of the stick
STAR    = 5                     ; column of the stars
EXIT    = 6                     ; column of the exits
AGENT_C = $0E                   ; colours: white,
STAR_C  = $1C                   ;   yellow,
PLUS_C  = $38                   ;   orange,
TRAP_C  = $44                   ;   red,
HAZARD_C = $66                  ;   violet,
WALL_C  = $84                   ;   blue,
GOAL_C  = $CA                   ;   green
TAPS    = $B4                   ; upper byte of the taps of the random register
FIFTH   = $33                   ; both bytes of 13,107 = 65,535 / 5
LAST    = 34                    ; last line of a row of 35, the uppermost; lines count down to 0

; ---- Tables of 35 lines, from the lowest line up -------------------------------------------------
;
; No table crosses a page, because the access would then take a cycle more.

        org $F800

Agent   .byte 0,0,0,0,0,0
        .byte %00111100,%00111100
        .byte %01111110,%01111110
        .byte %11111111,%11111111
        .byte %11000011,%11000011
        .byte %10111101,%10111101
        .byte %11111111,%11111111
        .byte %11111111,%11111111
        .byte %11011011,%11011011
        .byte %11011011,%11011011
        .byte %11111111,%11111111
        .byte %01111110,%01111110
        .byte %00111100,%00111100
        .byte 0,0,0,0,0

Nothing .byte 0,0,0,0,0,0,0,0,0,0
        .byte 0,0,0,0,0,0,0,0,0,0
        .byte 0,0,0,0,0,0,0,0,0,0
        .byte 0,0,0,0,0

Star    .byte 0,0,0,0,0,0
        .byte %10000001,%10000001
        .byte %11000011,%11000011
        .byte %11100111,%11100111
        .byte %01111110,%01111110
        .byte %01111110,%01111110
        .byte %00111100,%00111100
        .byte %01111110,%01111110
        .byte %11111111,%11111111
        .byte %11111111,%11111111
        .byte %00111100,%00111100
        .byte %00011000,%00011000
        .byte %00011000,%00011000
        .byte 0,0,0,0,0

PelletA .byte 0,0,0,0,0,0,0,0,0,0,0,0,0,0      ; PF2: pixels 12 and 17, columns 2 and 3
        .byte $21,$21,$21,$21,$21,$21,$21
        .byte 0,0,0,0,0,0,0,0,0,0,0,0,0,0

PelletB .byte 0,0,0,0,0,0,0,0,0,0,0,0,0,0      ; PF0: pixel 22, column 4
        .byte $40,$40,$40,$40,$40,$40,$40
        .byte 0,0,0,0,0,0,0,0,0,0,0,0,0,0

ExitA   .byte 0,0,0,0,0,0,0                    ; PF1: pixels 30 and 31, left half of the exit
        .byte $02,$02,$02,$03,$03,$03,$01,$01,$01,$00,$00,$00
        .byte $01,$01,$01,$03,$03,$03,$02,$02,$02
        .byte 0,0,0,0,0,0,0

ExitB   .byte $F8,$F8,$F8,$F8,$F8,$F8,$F8      ; PF2: pixels 32 and 33, right half, and the wall
        .byte $F8,$F8,$F8,$F8,$F8,$F8,$F9,$F9,$F9,$FB,$FB,$FB
        .byte $F9,$F9,$F9,$F8,$F8,$F8,$F8,$F8,$F8
        .byte $F8,$F8,$F8,$F8,$F8,$F8,$F8

        org $F900

Goal    .byte 0,0,0,0,0,0
        .byte %01111110,%01111110
        .byte %01111110,%01111110
        .byte %00111100,%00111100
        .byte %00011000,%00011000
        .byte %00011000,%00011000
        .byte %00011000,%00011000
        .byte %00111100,%00111100
        .byte %01111110,%01111110
        .byte %10111101,%10111101
        .byte %10111101,%10111101
        .byte %11111111,%11111111
        .byte %11111111,%11111111
        .byte 0,0,0,0,0

Trap    .byte 0,0,0,0,0,0
        .byte %01011010,%01011010
        .byte %01011010,%01011010
        .byte %01111110,%01111110
        .byte %11111111,%11111111
        .byte %11100111,%11100111
        .byte %11111111,%11111111
        .byte %11111111,%11111111
        .byte %10011001,%10011001
        .byte %10011001,%10011001
        .byte %11111111,%11111111
        .byte %11111111,%11111111
        .byte %01111110,%01111110
        .byte 0,0,0,0,0

Checker .byte $53,$53,$53,$53,$53              ; PF1: pixels 5 to 8, and the wall from pixel 10
        .byte $2B,$2B,$2B,$2B,$2B
        .byte $53,$53,$53,$53,$53
        .byte $2B,$2B,$2B,$2B,$2B
        .byte $53,$53,$53,$53,$53
        .byte $2B,$2B,$2B,$2B,$2B
        .byte $53,$53,$53,$53,$53

TrapRow .byte $83,$83,$83,$83,$83,$83,$83,$83,$83,$83  ; PF1: the walls beside the trap, and the
        .byte $83,$83,$83,$83,$83,$83,$83,$83,$83,$83  ;   wall between the trap and the star above
        .byte $83,$83,$83,$83,$83,$83,$83,$83,$83,$83
        .byte $FF,$FF,$FF,$FF,$FF

Places  .byte 158,18,38,58,78,98,118           ; what Place needs for columns 0 to 6

; ---- Switched on ---------------------------------------------------------------------------------

Reset   sei
        cld
        ldy INTIM               ; chance: the timer starts anywhere
        ldx #$FF
        txs
        inx                     ; X = 0
        txa
ClearT  sta VSYNC,x             ; all registers of the video chip
        inx
        cpx #$2D
        bne ClearT
        ldx #Row                ; all RAM but the random register
ClearR  sta $00,x
        inx
        bne ClearR
        lda RandLo              ; the register stays 0 for ever if it is 0
        ora RandHi
        bne Seed
        inc RandLo
Seed    jsr Clock               ; clocking it permutes the other values: they stay equally likely
        dey
        bne Seed
        lda #>Agent
        sta Ptr0+1
        sta Ptr1+1
        sta Ptr2+1
        sta Ptr3+1
        lda #5                  ; sprites of double width: 16 pixels
        sta NUSIZ0
        sta NUSIZ1
        lda #AGENT_C
        sta COLUP0
        jsr NewGame

; ---- A frame: sync, 3 lines ----------------------------------------------------------------------

Frame   lda #2
        sta WSYNC
        sta VSYNC
        sta WSYNC
        sta WSYNC
        lda #0
        sta WSYNC
        sta VSYNC               ; here an emulator's frame begins

; ---- Logic, before the picture: 37 lines ---------------------------------------------------------

        lda #44
        sta TIM64T
        jsr Clock
        lda SWCHB
        lsr
        bcc Again               ; RESET
        bit INPT4
        bmi Play                ; no FIRE
Again   jsr NewGame
        jmp Show

Play    lda SWCHA
        and #$F0
        eor #$F0
        sta Stick
        bne Pressed
        sta Held
Pressed lda Lock
        beq Ready
        dec Lock
        lda Lock
        cmp #1                  ; the third frame of a move: the game is over now, and not before, so
        bne Show                ;   that an agent which skips frames sees the last picture
        lda End
        beq Show
        lda #1
        sta Over
        jmp Show

Ready   lda End
        bne Show                ; over: waits for RESET or FIRE
        lda Stick
        beq Show
        bit SWCHB
        bvc Move                ; left difficulty B: a held stick goes on
        lda Held                ; A, for people: a push is one move
        bne Show
Move    lda #3
        sta Lock
        sta Held
        lda Row
        cmp #2
        bne Corridor
        lda Column
        bne Hazard
        bit Stick               ; the start
        bpl Show
        inc Column
        bne Show                ; always

Hazard  lda #FIFTH              ; down if the register is at most 13,107: 13,107 of its 65,535 values
        cmp RandLo
        sbc RandHi
        lda #1
        bcc Enter
        lda #3
Enter   sta Row
        bne Show                ; always

Corridor lda Stick
        and #UP
        beq NotUp
        lda Column
        cmp #STAR
        bne NotUp
        ldx #2                  ; the goal
        dec Row
        beq Ended
        inx                     ; the trap
Ended   stx End
        bne Show                ; always
NotUp   bit Stick
        bpl Show                ; only RIGHT moves
        inc Column
        inc Pluses
        lda Column
        cmp #EXIT
        bne Show
        lda #1
        sta End

; ---- Where the agent is shown --------------------------------------------------------------------

Show    lda #<Nothing
        sta Ptr0
        sta Ptr1
        sta Ptr2
        sta Ptr3
        lda Row
        asl
        tax
        lda #<Agent
        sta Ptr0,x
        ldx Column
        lda Places,x
        ldx #0
        jsr Place
        lda #Places5            ; sprite 1 is always in column 5
        ldx #1
        jsr Place
        sta WSYNC
        sta HMOVE
        lda #GOAL_C             ; these 24 cycles are needed before HMCLR
        sta COLUP1
        lda #0
        sta GRP0
        sta GRP1
        lda #$FF
        sta PF0
        sta PF1
        sta PF2
        ldx #WALL_C
        stx COLUPF
        sta HMCLR
        ldy #11
        jmp Picture

Places5 = 98

; ---- Subroutines ---------------------------------------------------------------------------------

; A new episode.
NewGame lda #0
        sta Column
        sta Pluses
        sta End
        sta Lock
        sta Over
        lda #2
        sta Row
        rts

; Clocks the random register, a Galois register of 16 bits and period 65,535. Leaves Y.
Clock   lsr RandHi
        ror RandLo
        bcc Clocked
        lda RandHi
        eor #TAPS
        sta RandHi
Clocked rts

; Puts sprite X (0 or 1) where A says: 15 pixels for each round of the loop, the rest by HMOVE.
Place   sta WSYNC
        sec
Divide  sbc #15
        bcs Divide
        eor #7
        asl
        asl
        asl
        asl
        sta HMP0,x
        sta RESP0,x
        rts

; ---- The picture: 192 lines. X is the colour of walls throughout ---------------------------------
;
; The playfield has 40 pixels of 4 points, 5 for each column. It is repeated: PF0, PF1 and PF2 are
; pixels 0 to 19, and then again 20 to 39, so that they are written twice in a line. The numbers are
; the cycle at which a store ends. No loop crosses a page.

        org $FC00

Picture lda INTIM
        bne Picture
        sta WSYNC
        sta VBLANK              ; A is 0: the beam is on
Upper   sta WSYNC               ; 12 lines of wall
        dey
        bne Upper
        ldy #LAST

Row0    sta WSYNC               ; the goal
        stx COLUPF              ;  3
        lda (Ptr0),y
        sta GRP0                ; 11
        lda #$F0
        sta PF0                 ; 16  pixels 0 to 3, and 20 to 23
        lda #$FF
        sta PF1                 ; 21  pixels 4 to 11
        sta PF2                 ; 24  pixels 12 to 19, and 32 to 39
        lda Goal,y
        sta GRP1                ; 31
        lda #$83
        nop
        nop
        nop
        sta PF1                 ; 42  pixels 24 to 31
        dey
        bpl Row0
        lda #STAR_C
        sta COLUP1
        ldy #LAST

Row1    sta WSYNC               ; the upper corridor
        stx COLUPF              ;  3  column 0: wall
        lda (Ptr1),y
        sta GRP0                ; 11
        lda #$F0
        sta PF0                 ; 16  pixels 0 to 3
        lda #$80
        sta PF1                 ; 21  pixels 4 to 11
        lda PelletA,y
        sta PF2                 ; 28  pixels 12 to 19
        lda #PLUS_C
        sta COLUPF              ; 33  from column 1 on, which is empty
        lda PelletB,y
        sta PF0                 ; 40  pixels 20 to 23
        lda ExitA,y
        sta PF1                 ; 47  pixels 24 to 31
        lda Star,y
        sta GRP1                ; 54
        lda ExitB,y
        sta PF2                 ; 61  pixels 32 to 39
        dey
        nop
        stx COLUPF              ; 68  pixel 34, which is empty: wall again
        bpl Row1
        ldy #LAST

Row2    sta WSYNC               ; start, hazard and trap
        lda #HAZARD_C
        sta COLUPF              ;  5
        lda (Ptr2),y
        sta GRP0                ; 13
        lda #0
        sta PF0                 ; 18  pixels 0 to 3
        lda Checker,y
        sta PF1                 ; 25  pixels 4 to 11
        lda #$FF
        sta PF2                 ; 30  pixels 12 to 19, and 32 to 39
        nop
        stx COLUPF              ; 35  pixel 9, which is empty: wall again
        lda #$F0
        sta PF0                 ; 40  pixels 20 to 23
        lda TrapRow,y
        sta PF1                 ; 47  pixels 24 to 31
        lda Trap,y
        sta GRP1                ; 54
        lda #TRAP_C
        sta COLUP1              ; 59
        dey
        bpl Row2
        lda #STAR_C
        sta COLUP1
        ldy #LAST

Row3    sta WSYNC               ; the lower corridor, as the upper one
        stx COLUPF              ;  3
        lda (Ptr3),y
        sta GRP0                ; 11
        lda #$F0
        sta PF0                 ; 16
        lda #$80
        sta PF1                 ; 21
        lda PelletA,y
        sta PF2                 ; 28
        lda #PLUS_C
        sta COLUPF              ; 33
        lda PelletB,y
        sta PF0                 ; 40
        lda ExitA,y
        sta PF1                 ; 47
        lda Star,y
        sta GRP1                ; 54
        lda ExitB,y
        sta PF2                 ; 61
        dey
        nop
        stx COLUPF              ; 68
        bpl Row3

        ldy #40                 ; row 4 and the border below: 40 lines of wall
Lower   sta WSYNC
        lda #$FF
        sta PF0
        sta PF1
        sta PF2
        dey
        bne Lower

        sta WSYNC               ; 30 lines with the beam off
        lda #2
        sta VBLANK
        lda #36
        sta TIM64T
Wait    lda INTIM
        bne Wait
        jmp Frame

        org $FFFC
        .word Reset
        .word Reset
